// SPDX-License-Identifier: GPL-2.0-only
/*
 * Chooses between KVM and TCG. That /dev/kvm exists or opens proves nothing: nested and paravirtual
 * hosts have one on which ordinary guests hang or die, so the CPU's flags and a tiny VM
 * (accel_probe.c) have the last word.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <libgen.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/str.h"
#include "vm/accel.h"

KTSTR_DEFINE_CLEANUP(json_t *, cleanup_json, json_decref)
#define _cleanup_json_ _cleanup_(cleanup_json)

static const uint64_t probe_timeout_ns = 20ull * 1000 * 1000 * 1000;

const char *ktstr_accel_name(enum ktstr_accel accel)
{
	return accel == KTSTR_ACCEL_KVM ? "kvm" : "tcg";
}

void ktstr_accel_choice_deinit(struct ktstr_accel_choice *choice)
{
	free(choice->reason);
	*choice = (struct ktstr_accel_choice){ 0 };
}

/* Steals why. */
static void choose_kvm(struct ktstr_accel_choice *choice, char *why)
{
	*choice = (struct ktstr_accel_choice){ .accel = KTSTR_ACCEL_KVM,
					       .multi_threaded = true,
					       .reason = why };
}

/*
 * Steals why. QEMU 7.2's multi-threaded TCG corrupts the guest kernel's text patching (static keys
 * switched under load end in "Oops: int3"); 10.0 does so rarely, and coherence.c mends that; versions
 * between were not measured.
 */
static void choose_tcg(struct ktstr_accel_choice *choice, const struct ktstr_qemu *qemu, char *why)
{
	bool multi = qemu->major >= 10;

	*choice = (struct ktstr_accel_choice){ .accel = KTSTR_ACCEL_TCG,
					       .multi_threaded = multi,
					       .reason = why };
	if (multi)
		return;
	choice->reason = ktstr_xasprintf("%s; TCG runs in a single thread, because several threads "
					 "corrupt the guest kernel's text "
					 "patching in QEMU %u.%u (10.0 and later are right)",
					 why, qemu->major, qemu->minor);
	free(why);
}

static bool line_has_flag(char *line, const char *wanted)
{
	char *state = NULL;

	for (char *flag = strtok_r(line, " \t\n", &state); flag;
	     flag = strtok_r(NULL, " \t\n", &state))
		if (!strcmp(flag, wanted))
			return true;
	return false;
}

/* Whether the first CPU has the flag; an unreadable file has none. */
static bool cpu_has_flag(const char *cpuinfo_path, const char *wanted)
{
	_cleanup_fclose_ FILE *file = fopen(cpuinfo_path, "re");
	_cleanup_free_ char *line = NULL;
	size_t capacity = 0;

	while (file && getline(&line, &capacity, file) >= 0)
		if (ktstr_str_starts_with(line, "flags"))
			return line_has_flag(line, wanted);
	return false;
}

/* Why KVM is out of the question without trying it, heap; NULL when it deserves a try. */
static char *kvm_obstacle(const struct ktstr_accel_inputs *inputs)
{
	_cleanup_close_ int fd = open(inputs->kvm_path, O_RDWR | O_CLOEXEC);
	int why = errno;

	if (fd < 0 && (why == ENOENT || why == ENXIO || why == ENODEV))
		return ktstr_xasprintf(
			"KVM not used: there is no %s (on a physical machine load kvm_intel "
			"or kvm_amd, and enable virtualization in the firmware)",
			inputs->kvm_path);
	if (fd < 0 && (why == EACCES || why == EPERM))
		return ktstr_xasprintf("KVM not used: no permission to open %s; join the group kvm "
				       "(sudo usermod -aG kvm $USER, then log in again)",
				       inputs->kvm_path);
	if (fd < 0)
		return ktstr_xasprintf("KVM not used: cannot open %s: %s", inputs->kvm_path,
				       strerror(why));
	if (!cpu_has_flag(inputs->cpuinfo_path, "vmx") &&
	    !cpu_has_flag(inputs->cpuinfo_path, "svm"))
		return ktstr_xasprintf(
			"KVM not used: this CPU shows neither vmx nor svm (a nested or "
			"paravirtual host); %s exists but ordinary guests fail on it",
			inputs->kvm_path);
	return NULL;
}

/* An answer of an earlier probe, for this boot of this host and this QEMU. */
struct remembered {
	bool known, works;
	char *failure; /* heap, "" when it works */
};

static struct remembered recall(const struct ktstr_accel_inputs *inputs,
				const struct ktstr_qemu *qemu)
{
	_cleanup_free_ char *boot_id = ktstr_read_line(inputs->boot_id_path);
	_cleanup_json_ json_t *cached = NULL;
	const char *cached_boot_id, *cached_version, *failure;

	if (inputs->cache_path)
		cached = json_load_file(inputs->cache_path, 0, NULL);
	cached_boot_id = json_string_value(json_object_get(cached, "boot_id"));
	cached_version = json_string_value(json_object_get(cached, "qemu_version"));
	failure = json_string_value(json_object_get(cached, "failure"));
	if (!boot_id || !cached_boot_id || strcmp(boot_id, cached_boot_id) || !cached_version ||
	    strcmp(qemu->version, cached_version) || !failure)
		return (struct remembered){ 0 };
	return (struct remembered){ .known = true,
				    .works = json_is_true(json_object_get(cached, "kvm_works")),
				    .failure = ktstr_xstrdup(failure) };
}

/* Best effort: an answer that cannot be kept is only asked for again. */
static void remember(const struct ktstr_accel_inputs *inputs, const struct ktstr_qemu *qemu,
		     const char *failure)
{
	_cleanup_free_ char *boot_id = ktstr_read_line(inputs->boot_id_path);
	_cleanup_error_ struct ktstr_error *error = NULL;
	_cleanup_free_ char *directory = NULL;
	_cleanup_free_ char *text = NULL;
	_cleanup_json_ json_t *answer = NULL;

	if (!inputs->cache_path || !boot_id)
		return;
	answer = json_pack("{s:s, s:s, s:b, s:s}", "boot_id", boot_id, "qemu_version",
			   qemu->version, "kvm_works", !failure, "failure", failure ? failure : "");
	text = answer ? json_dumps(answer, JSON_INDENT(2)) : NULL;
	if (!text)
		return;
	directory = ktstr_xstrdup(inputs->cache_path);
	error = ktstr_make_dirs(dirname(directory));
	if (!error)
		error = ktstr_write_file_atomic(inputs->cache_path, text, strlen(text));
}

static void choose_by_probe(const struct ktstr_qemu *qemu, const struct ktstr_accel_inputs *inputs,
			    struct ktstr_accel_choice *choice)
{
	struct remembered earlier = recall(inputs, qemu);
	_cleanup_free_ char *failure = earlier.failure;
	const char *when = "";

	if (earlier.known) {
		when = " (probed earlier since this host booted)";
	} else if (!inputs->image_path) {
		choose_tcg(choice, qemu,
			   ktstr_xstrdup(
				   "KVM not used: whether guests run on it is unknown, because "
				   "there is "
				   "no kernel yet to probe with; `ktstr kernel get` fetches one"));
		return;
	} else {
		failure = ktstr_accel_probe(qemu, inputs->image_path, inputs->probe_timeout_ns);
		remember(inputs, qemu, failure);
		earlier.works = !failure;
	}
	if (earlier.works)
		choose_kvm(choice, ktstr_xasprintf("KVM works: a small VM booted on it%s", when));
	else
		choose_tcg(choice, qemu,
			   ktstr_xasprintf(
				   "KVM not used: %s%s; KTSTR_ACCEL=kvm insists%s%s", failure, when,
				   inputs->cache_path ? ", and a new probe follows once you remove "
						      : "",
				   inputs->cache_path ? inputs->cache_path : ""));
}

struct ktstr_error *ktstr_accel_choose_from(const struct ktstr_qemu *qemu,
					    const struct ktstr_accel_inputs *inputs,
					    struct ktstr_accel_choice *choice)
{
	char *obstacle;

	if (inputs->override && !strcmp(inputs->override, "kvm")) {
		choose_kvm(choice, ktstr_xstrdup("KTSTR_ACCEL=kvm insists on KVM"));
		return NULL;
	}
	if (inputs->override && !strcmp(inputs->override, "tcg")) {
		choose_tcg(choice, qemu, ktstr_xstrdup("KTSTR_ACCEL=tcg insists on TCG"));
		return NULL;
	}
	if (inputs->override)
		return ktstr_error_new(
			KTSTR_ERR_INVALID,
			"KTSTR_ACCEL=%s: expected kvm or tcg, or unset for an own choice",
			inputs->override);
	obstacle = kvm_obstacle(inputs);
	if (obstacle)
		choose_tcg(choice, qemu, obstacle);
	else
		choose_by_probe(qemu, inputs, choice);
	return NULL;
}

struct ktstr_error *ktstr_accel_choose(const struct ktstr_qemu *qemu, const char *image_path,
				       struct ktstr_accel_choice *choice)
{
	_cleanup_free_ char *cache = ktstr_cache_dir();
	_cleanup_free_ char *cache_path = ktstr_xasprintf("%s/accel.json", cache);
	struct ktstr_accel_inputs inputs = {
		.override = ktstr_env("KTSTR_ACCEL"),
		.cpuinfo_path = "/proc/cpuinfo",
		.kvm_path = "/dev/kvm",
		.boot_id_path = "/proc/sys/kernel/random/boot_id",
		.cache_path = cache_path,
		.image_path = image_path,
		.probe_timeout_ns = probe_timeout_ns,
	};

	return ktstr_accel_choose_from(qemu, &inputs, choice);
}
