// SPDX-License-Identifier: GPL-2.0-only
/*
 * The shared libraries of a program, as its own loader finds them: `<PT_INTERP> --list <program>`,
 * which maps the program but runs none of its code. Works for glibc and musl.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/child.h"
#include "base/cleanup.h"
#include "base/str.h"
#include "vm/elf_closure.h"

KTSTR_DEFINE_CLEANUP(Elf *, cleanup_elf, elf_end)

static const uint64_t loader_timeout_ns = 30ull * 1000 * 1000 * 1000;

static struct ktstr_error *open_program(const char *path, int *fd)
{
	_cleanup_close_ int opened = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (opened < 0 || fstat(opened, &st))
		return ktstr_error_sys(errno, "cannot open program %s", path);
	if (S_ISDIR(st.st_mode))
		return ktstr_error_new(KTSTR_ERR_INVALID, "%s is a directory, not a program", path);
	if (!S_ISREG(st.st_mode))
		return ktstr_error_new(KTSTR_ERR_INVALID, "%s is not a regular file", path);
	*fd = ktstr_take_fd(&opened);
	return NULL;
}

static struct ktstr_error *not_elf(const char *path, int fd)
{
	char begin[24];
	ssize_t got = pread(fd, begin, sizeof(begin), 0);
	_cleanup_str_ struct ktstr_str shown = { 0 };
	size_t length = 0;

	if (got < 0)
		return ktstr_error_sys(errno, "cannot read program %s", path);
	if (got == 0)
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "%s is not an ELF executable: it is empty", path);
	while (length < (size_t)got && begin[length] != '\n')
		length++;
	ktstr_str_add_printable(&shown, begin, length);
	return ktstr_error_new(KTSTR_ERR_INVALID,
			       "%s is not an ELF executable: it begins with \"%s\"", path,
			       ktstr_str_text(&shown));
}

static const char *machine_name(unsigned int machine)
{
	static const struct {
		unsigned int machine;
		const char *name;
	} names[] = { { EM_386, "i386" },      { EM_ARM, "arm" },     { EM_AARCH64, "aarch64" },
		      { EM_RISCV, "riscv" },   { EM_PPC64, "ppc64" }, { EM_S390, "s390" },
		      { EM_X86_64, "x86-64" }, { EM_BPF, "bpf" } };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].machine == machine)
			return names[i].name;
	return "unknown";
}

static struct ktstr_error *check_header(const char *path, const GElf_Ehdr *header)
{
	if (header->e_machine != EM_X86_64 || header->e_ident[EI_CLASS] != ELFCLASS64)
		return ktstr_error_new(
			KTSTR_ERR_INVALID,
			"%s is an ELF file for %s (%d bit, machine %u), the guest runs x86-64",
			path, machine_name(header->e_machine),
			header->e_ident[EI_CLASS] == ELFCLASS64 ? 64 : 32, header->e_machine);
	if (header->e_type != ET_EXEC && header->e_type != ET_DYN)
		return ktstr_error_new(
			KTSTR_ERR_INVALID, "%s is an ELF file, but no executable (e_type %u%s)",
			path, header->e_type, header->e_type == ET_REL ? ", an object file" : "");
	return NULL;
}

static struct ktstr_error *read_interp_text(const char *path, int fd, const GElf_Phdr *header,
					    char **interp)
{
	char text[PATH_MAX];

	if (header->p_filesz < 2 || header->p_filesz > sizeof(text) ||
	    pread(fd, text, header->p_filesz, (off_t)header->p_offset) !=
		    (ssize_t)header->p_filesz ||
	    text[header->p_filesz - 1] || text[0] != '/')
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "%s: its PT_INTERP segment names no loader", path);
	*interp = ktstr_xstrdup(text);
	return NULL;
}

/* *interp stays NULL for a static program. */
static struct ktstr_error *read_interp(const char *path, char **interp)
{
	_cleanup_(cleanup_elf) Elf *elf = NULL;
	_cleanup_close_ int fd = -1;
	size_t segments = 0;
	GElf_Ehdr header;

	KTSTR_TRY(open_program(path, &fd));
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!elf || elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &header))
		return not_elf(path, fd);
	KTSTR_TRY(check_header(path, &header));
	if (elf_getphdrnum(elf, &segments))
		return ktstr_error_new(KTSTR_ERR_INVALID, "%s: unreadable ELF program headers: %s",
				       path, elf_errmsg(-1));
	for (size_t i = 0; i < segments; i++) {
		GElf_Phdr segment;

		if (gelf_getphdr(elf, (int)i, &segment) && segment.p_type == PT_INTERP)
			return read_interp_text(path, fd, &segment, interp);
	}
	return NULL;
}

static void add_once(struct ktstr_strv *paths, const char *path)
{
	if (!ktstr_strv_contains(paths, path))
		ktstr_strv_add(paths, path);
}

/*
 * One of "libc.so.6 => /lib/libc.so.6 (0x7f..)", "/lib64/ld.so (0x7f..)", "linux-vdso.so.1
 * (0x7f..)".
 */
static struct ktstr_error *parse_line(const char *program, char *line, struct ktstr_strv *paths)
{
	char *name = line + strspn(line, " \t");
	char *arrow = strstr(name, " => ");
	char *path = arrow ? arrow + strlen(" => ") : name;
	char *address = strstr(path, " (0x");

	if (address)
		*address = '\0';
	if (arrow)
		*arrow = '\0';
	if (!strcmp(path, "not found"))
		return ktstr_error_new(
			KTSTR_ERR_NOT_FOUND,
			"%s needs the library %s, which is not on this host; install it or set "
			"LD_LIBRARY_PATH",
			program, name);
	if (*path == '/')
		add_once(paths, path);
	else if (strchr(path, '/'))
		return ktstr_error_new(
			KTSTR_ERR_INVALID,
			"%s needs the library %s by a path relative to the working directory; "
			"link it by name or absolute path",
			program, path);
	return NULL;
}

/*
 * A loader that misses a library may stop with "error while loading shared libraries: libx.so:
 * cannot open ..." (glibc) or "Error loading shared library libx.so: No such file ..." (musl). The
 * name, heap; NULL for other failures.
 */
static char *missing_library(const char *message)
{
	static const char *const leads[] = { "error while loading shared libraries: ",
					     "Error loading shared library " };

	for (size_t i = 0; i < sizeof(leads) / sizeof(leads[0]); i++) {
		const char *name = strstr(message, leads[i]);

		name = name ? name + strlen(leads[i]) : NULL;
		if (name && (strstr(name, ": cannot open shared object file: No such file") ||
			     strstr(name, ": No such file")))
			return ktstr_xstrndup(name, strcspn(name, ":"));
	}
	return NULL;
}

/* Steals failure. */
static struct ktstr_error *explain_failure(struct ktstr_error *failure, const char *program)
{
	_cleanup_free_ char *library = missing_library(ktstr_error_message(failure));

	if (!library)
		return ktstr_error_wrap(failure, "cannot list the libraries of %s", program);
	ktstr_error_free(failure);
	return ktstr_error_new(
		KTSTR_ERR_NOT_FOUND,
		"%s needs the library %s, which is not on this host; install it or set "
		"LD_LIBRARY_PATH",
		program, library);
}

static bool imports_any(Elf *elf, const char *const *names)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	while ((section = elf_nextscn(elf, section))) {
		Elf_Data *data = elf_getdata(section, NULL);
		GElf_Sym symbol;

		if (!gelf_getshdr(section, &header) || header.sh_type != SHT_DYNSYM)
			continue;
		for (int i = 0; gelf_getsym(data, i, &symbol); i++) {
			const char *name = elf_strptr(elf, header.sh_link, symbol.st_name);

			for (size_t k = 0; name && symbol.st_shndx == SHN_UNDEF && names[k]; k++)
				if (!strcmp(name, names[k]))
					return true;
		}
	}
	return false;
}

/*
 * glibc loads libgcc_s itself when a thread ends by pthread_exit() or is cancelled (sysdeps/nptl/unwind-forcedunwind.c)
 * and aborts without it. The loader does not list it.
 */
static void add_unwinder(const char *program, struct ktstr_strv *paths)
{
	static const char *const callers[] = { "pthread_exit", "pthread_cancel", NULL };
	_cleanup_close_ int fd = open(program, O_RDONLY | O_CLOEXEC);
	_cleanup_(cleanup_elf) Elf *elf = elf_begin(fd, ELF_C_READ, NULL);

	if (!elf || !imports_any(elf, callers))
		return;
	for (size_t i = 0; i < paths->count; i++) {
		const char *slash = strrchr(paths->items[i], '/');
		_cleanup_free_ char *unwinder = NULL;

		if (!slash || strcmp(slash, "/libc.so.6"))
			continue;
		unwinder = ktstr_xasprintf("%.*s/libgcc_s.so.1", (int)(slash - paths->items[i]), paths->items[i]);
		if (!access(unwinder, R_OK))
			add_once(paths, unwinder);
		return;
	}
}

struct ktstr_error *ktstr_elf_closure_list(const char *host_path, struct ktstr_strv *paths)
{
	_cleanup_free_ char *absolute = NULL;
	_cleanup_free_ char *interp = NULL;
	_cleanup_free_ char *output = NULL;
	struct ktstr_error *error;
	char *state = NULL;

	KTSTR_TRY(read_interp(host_path, &interp));
	if (!interp)
		return NULL;
	if (access(interp, X_OK))
		return ktstr_error_new(
			KTSTR_ERR_NOT_FOUND,
			"%s needs the loader %s, which is not on this host; install its C "
			"library or link the program statically",
			host_path, interp);
	/* The loader takes a bare name for a library to be searched. */
	absolute = realpath(host_path, NULL);
	if (!absolute)
		return ktstr_error_sys(errno, "cannot resolve %s", host_path);
	/*
	 * A preloaded library (sanitizers, faketime) is this process's business, not the program's.
	 */
	error = ktstr_run_command(
		(const char *[]){ "env", "-u", "LD_PRELOAD", interp, "--list", absolute, NULL },
		loader_timeout_ns, &output, NULL);
	if (error)
		return explain_failure(error, host_path);
	add_once(paths, interp);
	for (char *line = strtok_r(output, "\n", &state); line; line = strtok_r(NULL, "\n", &state))
		KTSTR_TRY(parse_line(host_path, line, paths));
	add_unwinder(host_path, paths);
	return NULL;
}
