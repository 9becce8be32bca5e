// SPDX-License-Identifier: GPL-2.0-only
/* Building templates and cloning them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/sparse.h"
#include "vm/argv.h"
#include "vm/direct_boot.h"
#include "vm/template.h"

/* What a booted guest has touched of its RAM, generously. */
enum { NEED_BASE_MIB = 384, NEED_PER_CPU_MIB = 8 };

/* A deterministic guest that could not be stopped in time (KTSTR_ERR_BUSY) is made anew. */
enum { BUILD_ATTEMPTS = 3 };

/* A guest need not ever stop sending. */
enum { FRAMES_MAX = 64 << 20 };
#define REST_LIMIT KTSTR_SEC(2)

KTSTR_DEFINE_CLEANUP(struct ktstr_vm *, cleanup_vm, ktstr_vm_destroy)

void ktstr_template_deinit(struct ktstr_template *template)
{
	ktstr_template_release(&template->hold);
	free(template->ram_path);
	free(template->state_path);
	free(template->frames_path);
	*template = (struct ktstr_template){ .hold.lock_fd = -1 };
}

static void set_paths(struct ktstr_template *template)
{
	template->ram_path = ktstr_xasprintf("%s/ram", template->hold.dir);
	template->state_path = ktstr_xasprintf("%s/state", template->hold.dir);
	template->frames_path = ktstr_xasprintf("%s/frames", template->hold.dir);
}

/* Everything that the guest could tell, as one text: the command line with placeholders, and what it names. */
static struct ktstr_error *booted_key(const struct ktstr_vm_config *config, char key[KTSTR_DIGEST_BYTES])
{
	static const struct ktstr_vm_names placeholders = { .ram_path = "RAM", .ram_share = true, .for_template = true, .terminal = -1, .gdb = -1 };
	const char *modules[KTSTR_MACHINE_MODULES_MAX + 1];
	_cleanup_strv_ struct ktstr_strv argv = { 0 };
	_cleanup_str_ struct ktstr_str text = { 0 };

	KTSTR_TRY(ktstr_vm_argv(config, &placeholders, &argv));
	for (size_t i = 0; i < argv.count; i++)
		ktstr_str_addf(&text, "%s\n", argv.items[i]);
	ktstr_machine_modules(config, modules);
	for (size_t i = 0; modules[i]; i++)
		ktstr_str_addf(&text, "module %s\n", modules[i]);
	if (ktstr_direct_boot_wanted(config))
		ktstr_str_addf(&text, "direct boot\n");
	ktstr_str_addf(&text, "qemu %s\nkernel %s\nmodules %s\nbase %s\n", config->qemu->version,
		       config->kernel->image_sha256 ? config->kernel->image_sha256 : "",
		       config->kernel->modules_dir ? config->kernel->modules_dir : "",
		       config->base->digest);
	if (config->deterministic) {
		char digest[KTSTR_DIGEST_BYTES];

		KTSTR_TRY(ktstr_sha256_file(config->lockstep_path, digest));
		ktstr_str_addf(&text, "lockstep %s\n", digest);
	}
	return ktstr_sha256(text.data, text.length, key);
}

static uint64_t need_mib(const struct ktstr_vm_config *config)
{
	return NEED_BASE_MIB + NEED_PER_CPU_MIB * (uint64_t)ktstr_topology_total_cpus(config->topology);
}

/* A build directory that disappears unless it is published, and whose lock tells that its builder lives. */
struct build {
	char *dir, *ram_path, *state_path, *frames_path;
	int dir_fd;
};

static void build_deinit(struct build *build)
{
	if (build->dir)
		ktstr_error_free(ktstr_remove_tree(build->dir));
	if (build->dir_fd >= 0)
		close(build->dir_fd);
	free(build->dir);
	free(build->ram_path);
	free(build->state_path);
	free(build->frames_path);
}

static struct ktstr_error *build_init(const struct ktstr_vm_config *config, const char *key, struct build *build)
{
	*build = (struct build){ .dir_fd = -1 };
	KTSTR_TRY(ktstr_template_begin(key, need_mib(config), &build->dir, &build->dir_fd));
	build->ram_path = ktstr_xasprintf("%s/ram", build->dir);
	build->state_path = ktstr_xasprintf("%s/state", build->dir);
	build->frames_path = ktstr_xasprintf("%s/frames", build->dir);
	return NULL;
}

static struct ktstr_error *create_ram_file(const struct ktstr_vm_config *config, const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	uint64_t bytes = ktstr_machine_memory_mib(config->topology, config->memory_mib) << 20;

	if (fd < 0 || ftruncate(fd, (off_t)bytes))
		return ktstr_error_sys(errno, "cannot create the RAM file %s", path);
	return NULL;
}

static struct ktstr_error *write_frames(const char *path, const struct ktstr_str *frames)
{
	return ktstr_write_file_atomic(path, frames->data ? frames->data : "", frames->length);
}

static struct ktstr_error *keep_frame(const struct ktstr_frame *frame, struct ktstr_str *frames)
{
	if (frames->length + frame->length > FRAMES_MAX)
		return ktstr_error_new(KTSTR_ERR_GUEST, "the guest sent more than %d MiB before it was to be saved", FRAMES_MAX >> 20);
	ktstr_frame_encode(frames, frame->type, frame->payload, frame->length);
	return NULL;
}

static struct ktstr_error *publish(struct build *build, struct ktstr_vm *vm, const struct ktstr_str *frames,
				   const char *description, struct ktstr_template *template)
{
	KTSTR_TRY(ktstr_vm_save(vm, build->state_path));
	KTSTR_TRY(write_frames(build->frames_path, frames));
	KTSTR_TRY(ktstr_template_publish(build->dir, description, &template->hold));
	template->built_now = true;
	free(ktstr_take(build->dir));
	return NULL;
}

static struct ktstr_error *boot_and_publish(const struct ktstr_vm_config *config, struct build *build,
					    struct ktstr_template *template)
{
	_cleanup_(cleanup_vm) struct ktstr_vm *vm = NULL;
	_cleanup_free_ char *description = NULL;
	char shape[KTSTR_TOPOLOGY_TEXT_BYTES];

	KTSTR_TRY(create_ram_file(config, build->ram_path));
	KTSTR_TRY(ktstr_vm_boot(config, build->ram_path, NULL, &vm));
	description = ktstr_xasprintf("%s %s %llu MiB%s", config->kernel->version,
				      ktstr_topology_format(config->topology, shape),
				      (unsigned long long)ktstr_machine_memory_mib(config->topology,
										   config->memory_mib),
				      config->deterministic ? " deterministic" : "");
	return publish(build, vm, &(struct ktstr_str){ 0 }, description, template);
}

static struct ktstr_error *build_booted(const struct ktstr_vm_config *config, const char *key,
					struct ktstr_template *template)
{
	_cleanup_(build_deinit) struct build build;

	KTSTR_TRY(build_init(config, key, &build));
	return ktstr_template_blame_store(boot_and_publish(config, &build, template));
}

static void tell(struct ktstr_template_watch watch)
{
	if (watch.building)
		watch.building(watch.context);
}

struct ktstr_error *ktstr_template_booted(const struct ktstr_vm_config *config, struct ktstr_template_watch watch,
					  struct ktstr_template *template)
{
	struct ktstr_error *error = NULL;
	char key[KTSTR_DIGEST_BYTES];
	bool must_build;

	*template = (struct ktstr_template){ .hold.lock_fd = -1 };
	KTSTR_TRY(booted_key(config, key));
	KTSTR_TRY(ktstr_template_take(key, &template->hold, &must_build));
	if (must_build)
		tell(watch);
	for (int i = 0; must_build && i < BUILD_ATTEMPTS; i++) {
		ktstr_error_free(error);
		error = build_booted(config, key, template);
		if (ktstr_error_code(error) != KTSTR_ERR_BUSY)
			break;
	}
	if (error)
		return ktstr_error_wrap(error, "cannot build a template");
	set_paths(template);
	return NULL;
}

/* A booted guest's RAM is mostly holes. */
static struct ktstr_error *copy_ram(const char *from, const char *to)
{
	_cleanup_close_ int in = open(from, O_RDONLY | O_CLOEXEC);
	_cleanup_close_ int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	_cleanup_free_ char *what = ktstr_xasprintf("%s to %s", from, to);

	if (in < 0 || out < 0)
		return ktstr_error_sys(errno, "cannot copy %s", what);
	return ktstr_copy_sparse(in, out, what);
}

/* Collects the frames of the job; an error when the guest ends, as it does when it cannot do it. */
static struct ktstr_error *wait_held(struct ktstr_vm *vm, uint32_t stage, uint64_t timeout_ns, struct ktstr_str *frames)
{
	uint64_t deadline = ktstr_now_ns() + timeout_ns;
	struct ktstr_frame frame;

	while (!ktstr_vm_agent_reached(vm, stage)) {
		switch (ktstr_vm_next_frame(vm, ktstr_now_ns() + KTSTR_MS(5), &frame)) {
		case KTSTR_VM_FRAME:
			KTSTR_TRY(keep_frame(&frame, frames));
			break;
		case KTSTR_VM_ENDED:
			return ktstr_error_new(KTSTR_ERR_GUEST, "the guest ended before it was to be saved");
		case KTSTR_VM_FLOODED:
			return ktstr_vm_explain_flood(vm);
		case KTSTR_VM_DEADLINE:
			break;
		}
		if (ktstr_now_ns() > deadline)
			return ktstr_error_new(KTSTR_ERR_TIMEOUT, "the guest was not ready to be saved in time");
	}
	return NULL;
}

/* What is still on its way when the stage is reached: until nothing has come for a moment. */
static struct ktstr_error *collect_rest(struct ktstr_vm *vm, struct ktstr_str *frames)
{
	uint64_t deadline = ktstr_now_ns() + REST_LIMIT;
	struct ktstr_frame frame;

	while (ktstr_vm_next_frame(vm, ktstr_now_ns() + KTSTR_MS(20), &frame) == KTSTR_VM_FRAME) {
		KTSTR_TRY(keep_frame(&frame, frames));
		if (ktstr_now_ns() > deadline)
			return ktstr_error_new(KTSTR_ERR_TIMEOUT, "the guest never pauses in what it sends, so it cannot be saved");
	}
	return NULL;
}

static struct ktstr_error *run_and_publish(const struct ktstr_vm_config *config, const struct ktstr_template_step *step,
					   struct build *build, struct ktstr_template *template, struct ktstr_vm **failed)
{
	const struct ktstr_template *parent = step->parent;
	_cleanup_(cleanup_vm) struct ktstr_vm *vm = NULL;
	_cleanup_str_ struct ktstr_str frames = { 0 };
	_cleanup_free_ char *before = NULL;
	struct ktstr_error *error;
	size_t length;

	KTSTR_TRY(ktstr_read_file(parent->frames_path, &before, &length));
	ktstr_str_add_bytes(&frames, before, length);
	KTSTR_TRY(copy_ram(parent->ram_path, build->ram_path));
	KTSTR_TRY(ktstr_vm_restore(config, build->ram_path, parent->state_path, false, step->job, &vm));
	error = wait_held(vm, step->job->holds_at, step->timeout_ns, &frames);
	if (error) {
		ktstr_vm_replay_frames(vm, frames.data, frames.length);
		*failed = ktstr_take(vm);
		return error;
	}
	KTSTR_TRY(collect_rest(vm, &frames));
	return publish(build, vm, &frames, step->description, template);
}

static struct ktstr_error *build_step(const struct ktstr_vm_config *config, const struct ktstr_template_step *step,
				      const char *key, struct ktstr_template *template, struct ktstr_vm **failed)
{
	_cleanup_(build_deinit) struct build build;

	KTSTR_TRY(build_init(config, key, &build));
	return ktstr_template_blame_store(run_and_publish(config, step, &build, template, failed));
}

static struct ktstr_error *step_key(const struct ktstr_template_step *step, char key[KTSTR_DIGEST_BYTES])
{
	char archive[KTSTR_DIGEST_BYTES];
	_cleanup_free_ char *text = NULL;

	KTSTR_TRY(ktstr_sha256(step->job->archive, step->job->archive_length, archive));
	text = ktstr_xasprintf("%s\nuntil %u %s\n", strrchr(step->parent->hold.dir, '/') + 1, step->job->holds_at, archive);
	return ktstr_sha256(text, strlen(text), key);
}

struct ktstr_error *ktstr_template_after(const struct ktstr_vm_config *config, const struct ktstr_template_step *step,
					 struct ktstr_template *template, struct ktstr_vm **failed)
{
	struct ktstr_error *error = NULL;
	char key[KTSTR_DIGEST_BYTES];
	bool must_build, wanted = true;

	*template = (struct ktstr_template){ .hold.lock_fd = -1 };
	*failed = NULL;
	KTSTR_TRY(step_key(step, key));
	if (step->second_time)
		KTSTR_TRY(ktstr_template_mark_wanted(key, &wanted));
	if (!wanted)
		return NULL;
	KTSTR_TRY(ktstr_template_take(key, &template->hold, &must_build));
	if (must_build)
		tell(step->watch);
	for (int i = 0; must_build && i < BUILD_ATTEMPTS; i++) {
		ktstr_error_free(error);
		error = build_step(config, step, key, template, failed);
		if (ktstr_error_code(error) != KTSTR_ERR_BUSY)
			break;
	}
	if (error)
		return error;
	set_paths(template);
	return NULL;
}

struct ktstr_error *ktstr_template_clone(const struct ktstr_vm_config *config,
					 const struct ktstr_template *template,
					 const struct ktstr_vm_job *job, struct ktstr_vm **vm)
{
	_cleanup_free_ char *frames = NULL;
	size_t length;

	KTSTR_TRY(ktstr_template_check_room(&template->hold));
	KTSTR_TRY(ktstr_read_file(template->frames_path, &frames, &length));
	KTSTR_TRY(ktstr_vm_restore(config, template->ram_path, template->state_path, true, job, vm));
	/* The VM holds its template as long as it lives: evicting what it maps would free nothing. */
	ktstr_vm_keep_fd(*vm, fcntl(template->hold.lock_fd, F_DUPFD_CLOEXEC, 3));
	ktstr_vm_replay_frames(*vm, frames, length);
	return NULL;
}
