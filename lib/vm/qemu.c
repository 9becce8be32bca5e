// SPDX-License-Identifier: GPL-2.0-only
/* Finds the QEMU of this host and asks it for its version; an argv for it is built in machine.c. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/child.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "vm/qemu.h"

#define QEMU_NAME    "qemu-system-x86_64"
#define INSTALL_HINT "install the package qemu-system-x86, or set KTSTR_QEMU to a " QEMU_NAME

/* `-version` loads no machine; a second is long, ten allow for a cold disk under load. */
enum { VERSION_MAX = 64 };
static const uint64_t version_timeout_ns = 10ull * 1000 * 1000 * 1000;

static bool is_program(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode) && !access(path, X_OK);
}

/* The first executable of that name in PATH, as heap; NULL when there is none. */
static char *search_path(const char *name)
{
	const char *cursor = ktstr_env("PATH");

	if (!cursor)
		cursor = "/usr/local/bin:/usr/bin:/bin";
	for (;;) {
		const char *end = strchrnul(cursor, ':');
		char *path = ktstr_xasprintf("%.*s/%s", (int)(end - cursor), cursor, name);

		/* An empty entry means the current directory, where we look for nothing. */
		if (end != cursor && is_program(path))
			return path;
		free(path);
		if (!*end)
			return NULL;
		cursor = end + 1;
	}
}

static struct ktstr_error *locate(char **path)
{
	const char *chosen = ktstr_env("KTSTR_QEMU");

	if (!chosen) {
		*path = search_path(QEMU_NAME);
		if (!*path)
			return ktstr_error_new(KTSTR_ERR_NOT_FOUND,
					       "no " QEMU_NAME " in PATH; " INSTALL_HINT);
		return NULL;
	}
	*path = strchr(chosen, '/') ? ktstr_xstrdup(chosen) : search_path(chosen);
	if (*path && is_program(*path))
		return NULL;
	return ktstr_error_new(
		KTSTR_ERR_NOT_FOUND,
		"KTSTR_QEMU=%s is not an executable file; correct it, or unset it and "
		"install the package qemu-system-x86",
		chosen);
}

/* "QEMU emulator version 10.0.2 (Debian 1:10.0.2+ds-2)", then a copyright line. */
static struct ktstr_error *parse_version(const char *output, struct ktstr_qemu *qemu)
{
	static const char lead[] = "QEMU emulator version ";
	const char *text = strstr(output, lead);
	size_t length;

	text = text ? text + strlen(lead) : "";
	length = strcspn(text, " \t\r\n(,");
	if (length >= VERSION_MAX || sscanf(text, "%4u.%4u", &qemu->major, &qemu->minor) != 2) {
		_cleanup_str_ struct ktstr_str shown = { 0 };

		ktstr_str_add_printable(&shown, output, strnlen(output, 80));
		return ktstr_error_new(
			KTSTR_ERR_INVALID,
			"%s does not look like QEMU: -version says \"%s\"; " INSTALL_HINT,
			qemu->path, ktstr_str_text(&shown));
	}
	qemu->version = ktstr_xstrndup(text, length);
	return NULL;
}

struct ktstr_error *ktstr_qemu_find(struct ktstr_qemu *qemu)
{
	_cleanup_(ktstr_qemu_deinit) struct ktstr_qemu found = { 0 };
	_cleanup_free_ char *output = NULL;

	KTSTR_TRY(locate(&found.path));
	KTSTR_TRY_WRAP(ktstr_run_command((const char *[]){ found.path, "-version", NULL },
					 version_timeout_ns, &output, NULL),
		       "cannot learn the version of QEMU");
	KTSTR_TRY(parse_version(output, &found));
	*qemu = found;
	found = (struct ktstr_qemu){ 0 };
	return NULL;
}

void ktstr_qemu_deinit(struct ktstr_qemu *qemu)
{
	free(qemu->path);
	free(qemu->version);
	*qemu = (struct ktstr_qemu){ 0 };
}
