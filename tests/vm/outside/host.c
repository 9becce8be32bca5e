// SPDX-License-Identifier: GPL-2.0-only
/*
 * Boots (or restores) a VM, runs a program in it, under a scheduler if one is given, and when that program holds still
 * compares what it said with what its memory says. Prints each difference and "compared N, equal N"; writes a dump of
 * the guest, and if wanted an ELF core of all of its memory and an image of what was read (for tests/fuzz). Given the path
 * of a vmlinux to make, that one has a symbol table: its symbols are compared with kallsyms, and all is read by them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"
#include "guest/job.h"
#include "guest.h"
#include "host.h"
#include "ktstr/units.h"
#include "observe/bpf_maps.h"
#include "observe/dump.h"
#include "observe/vmcore.h"
#include "runner/job_bundle.h"
#include "vm/bundle.h"
#include "vm/gdbstub.h"
#include "vm/template.h"
#include "vm/vm.h"

#define GUEST_LIMIT KTSTR_SEC(240)

enum { KINDS_MAX = 16 };

/* The words of the command line; "-" = none. */
struct arguments {
	const char *kernel, *shape, *memory_mib, *kargs, *scheduler, *guest, *dump, *core, *image, *vmlinux;
};

struct session {
	const struct arguments *arguments;
	struct ktstr_run_setup setup;
	struct ktstr_vm *vm;
	struct ktstr_kernel_view *view;
	struct ktstr_vmlinux *vmlinux; /* with a symbol table; NULL = none was wanted */
	size_t different_symbols;
	struct ktstr_str output; /* of the guest */
};

static bool given(const char *argument)
{
	return strcmp(argument, "-");
}

static struct ktstr_error *build_job(const struct arguments *arguments, struct ktstr_bundle **bundle,
				     struct ktstr_vm_job *job)
{
	_cleanup_(ktstr_sched_choice_deinit) struct ktstr_sched_choice scheduler = { 0 };
	_cleanup_free_ char *library_path = NULL;
	_cleanup_free_ char *library_env = NULL;
	_cleanup_free_ char *text = NULL;
	json_t *json;

	KTSTR_TRY(ktstr_bundle_create(bundle));
	KTSTR_TRY(ktstr_bundle_add_program(*bundle, "/guest", arguments->guest));
	if (given(arguments->scheduler)) {
		KTSTR_TRY(ktstr_sched_resolve(arguments->scheduler, NULL, NULL, &scheduler));
		KTSTR_TRY(ktstr_bundle_add_program(*bundle, KTSTR_JOB_DIR "/scheduler", scheduler.path));
	}
	KTSTR_TRY(ktstr_bundle_library_path(*bundle, &library_path));
	library_env = ktstr_xasprintf("LD_LIBRARY_PATH=%s", library_path);
	json = json_pack("{s[s] s[s]}", "argv", "/guest", "env", library_env);
	if (scheduler.path)
		json_object_set_new(json, "scheduler", ktstr_job_scheduler(&scheduler, KTSTR_JOB_DIR "/scheduler"));
	text = json_dumps(json, 0);
	json_decref(json);
	KTSTR_TRY(ktstr_bundle_add_data(*bundle, KTSTR_JOB_PATH, 0644, text, strlen(text)));
	job->stage = KTSTR_AGENT_READY;
	return ktstr_bundle_finish(*bundle, &job->archive, &job->archive_length);
}

/* Lets the guest go on, through a BPF map in its memory. */
static struct ktstr_error *release(struct session *session)
{
	struct ktstr_bpf_maps *maps = ktstr_bpf_maps_find(session->view);
	struct ktstr_error *error = ktstr_error_new(KTSTR_ERR_NOT_FOUND, "the guest has no map " OUTSIDE_HOLD_MAP);
	uint64_t go = 1;
	size_t count;
	const struct ktstr_bpf_map *all = ktstr_bpf_maps_all(maps, &count);

	for (size_t i = 0; i < count; i++)
		if (!strcmp(all[i].name, OUTSIDE_HOLD_MAP) &&
		    ktstr_write(&session->view->space, ktstr_bpf_array_element(&all[i], 0), &go, sizeof(go))) {
			ktstr_error_free(error);
			error = NULL;
			break;
		}
	ktstr_bpf_maps_destroy(maps);
	return error;
}

/* How many of the first readings' values the host reads alike; those that the second readings have changed do not count. */
static void compare(struct session *session, const struct outside_readings *first, char **host_values)
{
	for (size_t i = 0; i < first->count; i++)
		host_values[i] = outside_read(session->view, first->items[i].key);
}

static struct ktstr_error *write_dump(const struct session *session)
{
	struct ktstr_dump_options options = { 0 };
	json_t *dump = ktstr_dump(session->view, &options);
	_cleanup_free_ char *text = json_dumps(dump, JSON_INDENT(1));

	json_decref(dump);
	return ktstr_write_file_atomic(session->arguments->dump, text ? text : "", text ? strlen(text) : 0);
}

/* As ktstr_view_of_vm() does it, but what is read is recorded. */
static struct ktstr_error *open_view_by(struct session *session, const struct ktstr_vmlinux *vmlinux,
					struct ktstr_kernel_view **view)
{
	struct ktstr_ram_region regions[2];
	struct ktstr_guest_memory *memory;
	_cleanup_close_ int ram = -1;
	uint64_t bytes;

	KTSTR_TRY(ktstr_vm_open_ram(session->vm, &ram, &bytes));
	KTSTR_TRY(ktstr_guest_memory_of_process(ktstr_vm_pid(session->vm), ram, regions,
						ktstr_machine_ram_regions(bytes, regions), &memory));
	if (given(session->arguments->image))
		ktstr_guest_record(memory);
	return ktstr_kernel_view_open(memory, vmlinux, ktstr_vm_vmcoreinfo(session->vm), view);
}

/* Both in the order of addresses and names. */
static void compare_symbols(struct session *session, const struct ktstr_symbols *kallsyms, const struct ktstr_symbols *symtab)
{
	size_t count, others, equal = 0;
	const struct ktstr_symbol *x = ktstr_symbols_all(kallsyms, &count), *y = ktstr_symbols_all(symtab, &others);

	for (size_t i = 0; i < count && i < others; i++)
		equal += x[i].address == y[i].address && !strcmp(x[i].name, y[i].name) &&
			 ktstr_symbols_find(kallsyms, x[i].name)->address == ktstr_symbols_find(symtab, x[i].name)->address;
	printf("symbols compared %zu, equal %zu\n", count > others ? count : others, equal);
	session->different_symbols = (count > others ? count : others) - equal;
}

/* The view by kallsyms makes the table, and then gives way to one by that. */
static struct ktstr_error *change_to_symtab(struct session *session)
{
	const char *path = session->arguments->vmlinux;
	struct ktstr_kernel_view *by_kallsyms = session->view;
	struct ktstr_error *error = outside_write_symtab(by_kallsyms, session->setup.kernel.vmlinux_path, path);

	if (!error)
		error = ktstr_vmlinux_load(path, &session->vmlinux);
	if (!error)
		error = open_view_by(session, session->vmlinux, &session->view);
	if (error)
		return error;
	printf("symbols from %s, then from %s\n", by_kallsyms->symbols_from, session->view->symbols_from);
	compare_symbols(session, by_kallsyms->symbols, session->view->symbols);
	ktstr_kernel_view_close(by_kallsyms);
	return NULL;
}

static struct ktstr_error *open_view(struct session *session)
{
	KTSTR_TRY(open_view_by(session, session->setup.vmlinux, &session->view));
	return given(session->arguments->vmlinux) ? change_to_symtab(session) : NULL;
}

/* Beside the image: where the types of its kernel are. */
static struct ktstr_error *write_image(const struct session *session)
{
	_cleanup_free_ char *beside = ktstr_xasprintf("%s.vmlinux", session->arguments->image);
	const char *vmlinux = session->setup.kernel.vmlinux_path;

	KTSTR_TRY(ktstr_write_file_atomic(beside, vmlinux, strlen(vmlinux)));
	return ktstr_vmcore_write(session->view, NULL, session->arguments->image);
}

static struct ktstr_error *read_guest(struct session *session, const struct outside_readings *first, char **host_values)
{
	ktstr_guest_freeze(session->view->memory, true);
	compare(session, first, host_values);
	KTSTR_TRY(write_dump(session));
	if (given(session->arguments->image))
		KTSTR_TRY(write_image(session));
	else if (given(session->arguments->core))
		KTSTR_TRY(ktstr_vmcore_write(session->view, NULL, session->arguments->core));
	ktstr_guest_freeze(session->view->memory, false);
	return NULL;
}

/* The guest holds: it is stopped, read and let go. */
static struct ktstr_error *on_hold(struct session *session, const struct outside_readings *first, char **host_values)
{
	uint64_t deadline = ktstr_now_ns() + KTSTR_SEC(60);
	struct ktstr_gdb *gdb;
	struct ktstr_error *error;

	gdb = ktstr_gdb_open(ktstr_vm_take_gdb_fd(session->vm));
	error = ktstr_gdb_stop(gdb, deadline);
	if (!error)
		error = open_view(session);
	if (!error)
		error = read_guest(session, first, host_values);
	if (!error)
		error = release(session);
	if (!error)
		error = ktstr_gdb_continue(gdb);
	ktstr_gdb_close(gdb);
	return error;
}

static const char *value_of(const struct outside_readings *readings, const char *key)
{
	for (size_t i = 0; i < readings->count; i++)
		if (!strcmp(readings->items[i].key, key))
			return readings->items[i].value;
	return NULL;
}

/* How many readings of each kind were compared: what nobody compares is equal, too. */
struct kind_count {
	const char *kind; /* the beginning of a key */
	size_t length, count;
};

static void count_kind(struct kind_count counts[KINDS_MAX], const char *key)
{
	size_t length = strcspn(key, ".");

	for (size_t i = 0; i < KINDS_MAX; i++) {
		if (counts[i].count && (counts[i].length != length || strncmp(counts[i].kind, key, length)))
			continue;
		counts[i] = (struct kind_count){ key, length, counts[i].count + 1 };
		return;
	}
}

/* A task that ran between both readings may have been on another CPU meanwhile, and come back: unlike counters do. */
static bool has_run(const char *key, const struct outside_readings *first, const struct outside_readings *second)
{
	static const char *const switches[] = { "nvcsw", "nivcsw" };
	const char *field = strrchr(key, '.') + 1;

	if (!ktstr_str_starts_with(key, "task.") || strcmp(field, "processor"))
		return false;
	for (size_t i = 0; i < 2; i++) {
		_cleanup_free_ char *of = ktstr_xasprintf("%.*s%s", (int)(field - key), key, switches[i]);
		const char *then = value_of(first, of), *later = value_of(second, of);

		if (!then || !later || strcmp(then, later))
			return true;
	}
	return false;
}

static size_t report(const struct outside_readings *first, const struct outside_readings *second, char *const *host_values)
{
	struct kind_count counts[KINDS_MAX] = { 0 };
	size_t compared = 0, equal = 0;

	for (size_t i = 0; i < first->count; i++) {
		const char *key = first->items[i].key, *then = first->items[i].value, *later = value_of(second, key);

		if (!later || strcmp(then, later) || has_run(key, first, second))
			continue; /* it did not hold still */
		compared++;
		count_kind(counts, key);
		if (host_values[i] && !strcmp(host_values[i], then))
			equal++;
		else
			printf("different %s: guest %s, host %s\n", key, then, host_values[i] ? host_values[i] : "cannot tell");
	}
	for (size_t i = 0; i < KINDS_MAX && counts[i].count; i++)
		printf("%.*s: %zu compared\n", (int)counts[i].length, counts[i].kind, counts[i].count);
	printf("compared %zu, equal %zu\n", compared, equal);
	return compared - equal;
}

static struct ktstr_error *vm_ended(const struct ktstr_vm *vm, const char *said, const char *line)
{
	_cleanup_free_ char *how = ktstr_vm_describe_end(vm), *qemu = ktstr_vm_qemu_output(vm), *console = NULL;
	size_t length;

	console = ktstr_vm_console(vm, &length);
	fprintf(stderr, "%s%s\n%s", said, console, qemu);
	return ktstr_error_new(KTSTR_ERR_GUEST, "the VM ended before the guest said %s: %s", line, how);
}

/* Reads the guest's output up to a line; false when the guest ends before. */
static struct ktstr_error *wait_for(struct session *session, const char *line)
{
	uint64_t deadline = ktstr_now_ns() + GUEST_LIMIT;
	struct ktstr_frame frame;

	while (!strstr(ktstr_str_text(&session->output), line)) {
		switch (ktstr_vm_next_frame(session->vm, deadline, &frame)) {
		case KTSTR_VM_FRAME:
			if (frame.type == KTSTR_FRAME_STDOUT)
				ktstr_str_add_bytes(&session->output, frame.payload, frame.length);
			if (frame.type == KTSTR_FRAME_STDERR)
				fwrite(frame.payload, 1, frame.length, stderr);
			if (frame.type == KTSTR_FRAME_EXIT && !strstr(ktstr_str_text(&session->output), line))
				return ktstr_error_new(KTSTR_ERR_GUEST, "the guest ended before it said %s", line);
			break;
		case KTSTR_VM_ENDED:
			return vm_ended(session->vm, ktstr_str_text(&session->output), line);
		case KTSTR_VM_DEADLINE:
			return ktstr_error_new(KTSTR_ERR_TIMEOUT, "the guest did not say %s", line);
		case KTSTR_VM_FLOODED:
			return ktstr_vm_explain_flood(session->vm);
		}
	}
	return NULL;
}

static void print_notes(const char *text)
{
	for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		if (ktstr_str_starts_with(line, "unavailable ") || ktstr_str_starts_with(line, "note "))
			printf("%.*s\n", (int)strcspn(line, "\n"), line);
}

static struct ktstr_error *converse(struct session *session, size_t *differences)
{
	struct outside_readings first = { 0 }, second = { 0 };
	_cleanup_free_ char **host_values = NULL;
	struct ktstr_error *error = wait_for(session, "\nHOLD\n");

	if (!error) {
		outside_readings_parse(ktstr_str_text(&session->output), &first);
		host_values = ktstr_xcalloc(first.count + 1, sizeof(*host_values));
		error = on_hold(session, &first, host_values);
	}
	if (!error)
		error = wait_for(session, "\nEND\n");
	if (!error) {
		outside_readings_parse(strstr(ktstr_str_text(&session->output), "\nSECOND\n"), &second);
		print_notes(ktstr_str_text(&session->output));
		*differences = report(&first, &second, host_values);
	}
	for (size_t i = 0; host_values && i < first.count; i++)
		free(host_values[i]);
	outside_readings_deinit(&first);
	outside_readings_deinit(&second);
	return error;
}

static struct ktstr_error *run(struct session *session, size_t *differences)
{
	const struct arguments *arguments = session->arguments;
	struct ktstr_template template = { .hold.lock_fd = -1 };
	struct ktstr_topology topology;
	struct ktstr_vm_config config;
	struct ktstr_bundle *bundle = NULL;
	struct ktstr_vm_job job = { 0 };
	struct ktstr_error *error;

	KTSTR_TRY(ktstr_topology_parse(arguments->shape, &topology));
	error = build_job(arguments, &bundle, &job);
	if (!error)
		error = ktstr_run_setup_vm(arguments->kernel, NULL, &session->setup);
	config = ktstr_run_setup_config(&session->setup);
	config.topology = &topology;
	config.memory_mib = strtoull(arguments->memory_mib, NULL, 10);
	config.observe = true;
	config.settle_ms = KTSTR_SETTLE_MS;
	config.extra_kargs = given(arguments->kargs) ? arguments->kargs : NULL;
	if (!error)
		error = ktstr_template_booted(&config, (struct ktstr_template_watch){ 0 }, &template);
	if (!error)
		error = ktstr_template_clone(&config, &template, &job, &session->vm);
	if (!error)
		error = converse(session, differences);
	ktstr_template_deinit(&template);
	ktstr_bundle_destroy(bundle);
	return error;
}

int main(int argc, char **argv)
{
	struct arguments arguments;
	struct session session = { .arguments = &arguments };
	struct ktstr_error *error;
	size_t differences = 0;

	if (argc != 11) {
		fprintf(stderr, "usage: %s KERNEL SHAPE MEMORY_MIB KARGS|- SCHEDULER|- GUEST DUMP CORE|- IMAGE|- VMLINUX|-\n",
			argv[0]);
		return 2;
	}
	arguments = (struct arguments){ argv[1], argv[2], argv[3], argv[4], argv[5], argv[6], argv[7], argv[8], argv[9],
					argv[10] };
	error = run(&session, &differences);
	outside_forget();
	ktstr_vm_destroy(session.vm);
	ktstr_kernel_view_close(session.view);
	ktstr_vmlinux_destroy(session.vmlinux);
	ktstr_run_setup_deinit(&session.setup);
	ktstr_str_deinit(&session.output);
	if (error)
		fprintf(stderr, "outside: %s\n", ktstr_error_message(error));
	return error || differences || session.different_symbols ? 1 : 0;
}
