// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loader of the scx_ktstr fixture scheduler: reads the CPU topology, hands the settings to the BPF half,
 * attaches it, and reports how it ended. Exit status: 0 detached cleanly, 1 failed to load or ejected
 * by the kernel, 2 wrong usage.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "scx_ktstr_options.h"

#define SCX_EXIT_ERROR	1024	/* exit kinds from here on are errors */

enum {
	POLL_MS = 50,
	MAX_CACHE_INDEX = 16,
};

/* In scx_ktstr_object.S. */
extern const unsigned char scx_ktstr_object[];
extern const unsigned char scx_ktstr_object_end[];

static volatile sig_atomic_t stop_requested;
static int verbosity;

static void on_signal(int sig)
{
	(void)sig;
	stop_requested = 1;
}

__attribute__((format(printf, 1, 2)))
static void complain(const char *fmt, ...)
{
	va_list args;

	fputs("scx_ktstr: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	fflush(stderr);
}

static int print_libbpf(enum libbpf_print_level level, const char *fmt, va_list args)
{
	int len;

	if ((level == LIBBPF_DEBUG && verbosity < 2) || (level == LIBBPF_INFO && verbosity < 1))
		return 0;
	len = vfprintf(stderr, fmt, args);
	fflush(stderr);
	return len;
}

/* --- topology --- */

static bool read_line(const char *path, char *line, size_t size)
{
	FILE *f = fopen(path, "re");
	bool ok;

	if (!f)
		return false;
	ok = fgets(line, (int)size, f);
	fclose(f);
	if (ok)
		line[strcspn(line, "\n")] = '\0';
	return ok;
}

/* The CPUs that share the highest-level cache of this one, as the kernel's list; false if unknown. */
static bool read_llc_list(__u32 cpu, char *list, size_t size)
{
	char path[128], value[32];
	long best = 0;
	int index;

	for (index = 0; index < MAX_CACHE_INDEX; index++) {
		const char *dir = "/sys/devices/system/cpu/cpu%u/cache/index%d/%s";
		long level;

		snprintf(path, sizeof(path), dir, cpu, index, "level");
		if (!read_line(path, value, sizeof(value)))
			break;
		level = strtol(value, NULL, 10);
		if (level <= best)
			continue;
		snprintf(path, sizeof(path), dir, cpu, index, "shared_cpu_list");
		if (read_line(path, list, size))
			best = level;
	}
	return best > 0;
}

/* First CPU of a list like "4-7,12", which serves as the name of the LLC. */
static __u32 first_of_list(const char *list)
{
	return (__u32)strtoul(list, NULL, 10);
}

/*
 * Number the LLCs in order of their first CPU. A CPU whose caches are unknown (offline, or a machine
 * that does not say) goes to LLC 0; every CPU looks at every queue, so that costs locality only.
 */
static void read_topology(struct ktstr_opts *opts)
{
	__u32 llc_of_first[KTSTR_MAX_CPUS];
	char list[4096];
	__u32 cpu, first;

	memset(llc_of_first, 0xff, sizeof(llc_of_first));
	opts->nr_llcs = 0;
	for (cpu = 0; cpu < opts->nr_cpus; cpu++) {
		opts->cpu_llc[cpu] = 0;
		if (!read_llc_list(cpu, list, sizeof(list)))
			continue;
		first = first_of_list(list);
		if (first >= KTSTR_MAX_CPUS)
			continue;
		if (llc_of_first[first] == UINT32_MAX) {
			if (opts->nr_llcs == KTSTR_MAX_LLCS)
				continue;
			llc_of_first[first] = opts->nr_llcs++;
		}
		opts->cpu_llc[cpu] = llc_of_first[first];
	}
	if (!opts->nr_llcs)
		opts->nr_llcs = 1;
}

static void print_topology(const struct ktstr_opts *opts)
{
	__u32 cpu;

	for (cpu = 0; cpu < opts->nr_cpus; cpu++)
		printf("scx_ktstr: cpu %u llc %u\n", cpu, opts->cpu_llc[cpu]);
}

/* --- the BPF object --- */

/* Offset of a global variable within its section, by name; -1 if absent or of another size. */
static long variable_offset(struct bpf_object *obj, const char *section, const char *name, size_t size)
{
	const struct btf *btf = bpf_object__btf(obj);
	int i, id = btf__find_by_name_kind(btf, section, BTF_KIND_DATASEC);
	const struct btf_var_secinfo *var;
	const struct btf_type *sec;

	if (id < 0)
		return -1;
	sec = btf__type_by_id(btf, (__u32)id);
	var = btf_var_secinfos(sec);
	for (i = 0; i < btf_vlen(sec); i++, var++) {
		const struct btf_type *t = btf__type_by_id(btf, var->type);

		if (!strcmp(btf__name_by_offset(btf, t->name_off), name))
			return var->size == size ? (long)var->offset : -1;
	}
	return -1;
}

/* A variable before load: what is written there is what the kernel gets. */
static void *initial_variable(struct bpf_object *obj, const char *section, const char *name, size_t size)
{
	struct bpf_map *map = bpf_object__find_map_by_name(obj, section);
	long offset = variable_offset(obj, section, name, size);
	size_t map_size = 0;
	char *base = map ? bpf_map__initial_value(map, &map_size) : NULL;

	if (!base || offset < 0 || (size_t)offset + size > map_size)
		return NULL;
	return base + offset;
}

/*
 * A variable after load, as the kernel sees it. Mapped here, because only skeletons of libbpf 1.4 remap
 * the initial value. The mapping stays until the process ends.
 */
static const void *live_variable(struct bpf_object *obj, const char *section, const char *name, size_t size)
{
	struct bpf_map *map = bpf_object__find_map_by_name(obj, section);
	long offset = variable_offset(obj, section, name, size);
	const char *base;

	if (!map || offset < 0 || (size_t)offset + size > bpf_map__value_size(map))
		return NULL;
	base = mmap(NULL, bpf_map__value_size(map), PROT_READ, MAP_SHARED, bpf_map__fd(map), 0);
	return base == MAP_FAILED ? NULL : base + offset;
}

/* Set a member of ktstr_ops before load; offsets from the object's own BTF. */
static bool set_ops_member(struct bpf_object *obj, const char *name, const void *value, size_t size)
{
	const struct btf *btf = bpf_object__btf(obj);
	struct bpf_map *map = bpf_object__find_map_by_name(obj, "ktstr_ops");
	int id = btf__find_by_name_kind(btf, "sched_ext_ops", BTF_KIND_STRUCT);
	const struct btf_member *m;
	const struct btf_type *t;
	size_t map_size = 0;
	char *base;
	int i;

	base = map ? bpf_map__initial_value(map, &map_size) : NULL;
	if (!base || id < 0)
		return false;
	t = btf__type_by_id(btf, (__u32)id);
	m = btf_members(t);
	for (i = 0; i < btf_vlen(t); i++, m++) {
		size_t offset = m->offset / 8;

		if (strcmp(btf__name_by_offset(btf, m->name_off), name))
			continue;
		if (offset + size > map_size)
			return false;
		memcpy(base + offset, value, size);
		return true;
	}
	return false;
}

static bool kernel_has_function(const struct btf *vmlinux, const char *name)
{
	return btf__find_by_name_kind(vmlinux, name, BTF_KIND_FUNC) > 0;
}

/* Whether the running kernel's struct sched_ext_ops has a member of that name. */
static bool kernel_has_ops_member(const struct btf *vmlinux, const char *name)
{
	int id = btf__find_by_name_kind(vmlinux, "sched_ext_ops", BTF_KIND_STRUCT);
	const struct btf_type *t = id > 0 ? btf__type_by_id(vmlinux, (__u32)id) : NULL;
	const struct btf_member *m = t ? btf_members(t) : NULL;
	int i;

	for (i = 0; t && i < btf_vlen(t); i++) {
		if (!strcmp(btf__name_by_offset(vmlinux, m[i].name_off), name))
			return true;
	}
	return false;
}

static void set_autoload(struct bpf_object *obj, const char *name, bool on)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(obj, name);

	if (prog)
		bpf_program__set_autoload(prog, on);
}

/*
 * Adapt to what the running kernel has: the way in which tasks leave a CPU that a real-time task took,
 * and 7.x's rescue of tasks, which sub-schedulers need and we do not (it complains about a watchdog
 * timeout as short as ours). Also the place to say clearly that a kernel cannot run us at all.
 */
static bool suit_kernel(struct bpf_object *obj, bool *has_switch_hook)
{
	static const void *const none;
	static const __u32 rescue_off = UINT32_MAX;
	struct btf *vmlinux = btf__load_vmlinux_btf();
	bool ok = true;

	if (!vmlinux) {
		complain("cannot read the kernel's BTF: %s", strerror(errno));
		return false;
	}
	if (btf__find_by_name_kind(vmlinux, "sched_ext_ops", BTF_KIND_STRUCT) < 0) {
		complain("this kernel has no sched_ext");
		ok = false;
	}
	*has_switch_hook = kernel_has_function(vmlinux, "scx_bpf_reenqueue_local___v2");
	set_autoload(obj, "ktstr_sched_switch", *has_switch_hook);
	set_autoload(obj, "ktstr_cpu_release", !*has_switch_hook);
	if (*has_switch_hook)
		ok = ok && set_ops_member(obj, "cpu_release", &none, sizeof(none));
	if (kernel_has_ops_member(vmlinux, "rescue_bandwidth_ppt"))
		ok = ok && set_ops_member(obj, "rescue_bandwidth_ppt", &rescue_off, sizeof(rescue_off));
	btf__free(vmlinux);
	return ok;
}

static bool prepare(struct bpf_object *obj, const struct settings *s, bool *has_switch_hook)
{
	struct ktstr_opts *opts = initial_variable(obj, ".rodata", "opts", sizeof(*opts));
	__u32 timeout_ms = (__u32)s->watchdog_ms;
	__u64 keep_last_flags = SCX_OPS_ENQ_MIGRATION_DISABLED; /* of the object's, without SCX_OPS_ENQ_LAST */

	if (!opts || !set_ops_member(obj, "timeout_ms", &timeout_ms, sizeof(timeout_ms)) ||
	    (s->opts.keep_last && !set_ops_member(obj, "flags", &keep_last_flags, sizeof(keep_last_flags)))) {
		complain("the embedded BPF object is damaged");
		return false;
	}
	*opts = s->opts;
	if (s->reject)
		set_autoload(obj, "ktstr_rejected", true);
	return suit_kernel(obj, has_switch_hook);
}

static struct bpf_object *open_object(void)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "scx_ktstr");
	size_t size = (size_t)(scx_ktstr_object_end - scx_ktstr_object);
	struct bpf_object *obj = bpf_object__open_mem(scx_ktstr_object, size, &opts);

	if (!obj)
		complain("cannot open the embedded BPF object: %s", strerror(errno));
	return obj;
}

/* --- running --- */

/* The clock of bpf_ktime_get_ns(). */
static __u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (__u64)ts.tv_sec * 1000000000 + (__u64)ts.tv_nsec;
}

/* `began_at_ns`: attached, or as --since says; 0 before that. */
static bool exit_is_due(const struct settings *s, __u64 began_at_ns)
{
	return s->exit_after_ms && began_at_ns && now_ns() - began_at_ns >= (__u64)s->exit_after_ms * 1000000;
}

static void nap(void)
{
	struct timespec ts = { .tv_nsec = POLL_MS * 1000000L };

	nanosleep(&ts, NULL);
}

static const char *kind_name(__u32 kind)
{
	switch (kind) {
	case 0: return "NONE";
	case 1: return "DONE";
	case 64: return "UNREG";
	case 65: return "UNREG_BPF";
	case 66: return "UNREG_KERN";
	case 67: return "SYSRQ";
	case 1024: return "ERROR";
	case 1025: return "ERROR_BPF";
	case 1026: return "ERROR_STALL";
	default: return "unknown";
	}
}

/* How the kernel ended it, and the exit status that goes with it. */
static int report_exit(const struct ktstr_exit *info)
{
	if (*info->dump) {
		fputs("scx_ktstr: dump begins\n", stderr);
		fputs(info->dump, stderr);
		fputs("\nscx_ktstr: dump ends\n", stderr);
	}
	complain("ejected: kind %u (%s), code 0x%llx, reason: %s%s%s", info->kind, kind_name(info->kind),
		 (unsigned long long)info->code, info->reason, *info->msg ? ", message: " : "", info->msg);
	return info->kind >= SCX_EXIT_ERROR ? 1 : 0;
}

static const char *const stat_names[KTSTR_NR_STATS] = {
	[KTSTR_STAT_SELECT_CPU] = "select_cpu",
	[KTSTR_STAT_DIRECT] = "direct",
	[KTSTR_STAT_ENQUEUE] = "enqueue",
	[KTSTR_STAT_KTHREAD] = "kthread",
	[KTSTR_STAT_LAST] = "last",
	[KTSTR_STAT_KICK_IDLE] = "kick_idle",
	[KTSTR_STAT_KICK_LOOKING] = "kick_looking",
	[KTSTR_STAT_DISPATCH_OWN] = "dispatch_own",
	[KTSTR_STAT_DISPATCH_OTHER] = "dispatch_other",
	[KTSTR_STAT_KEEP] = "keep",
	[KTSTR_STAT_RESCUE] = "rescue",
	[KTSTR_STAT_PARKED] = "parked",
	[KTSTR_STAT_REENQUEUE] = "reenqueue",
};

/* The `stats` map, summed over CPUs, on one line. */
static void print_stats(struct bpf_object *obj, __u32 nr_cpus)
{
	static __u64 values[KTSTR_MAX_CPUS];
	int fd = bpf_object__find_map_fd_by_name(obj, "stats");
	__u32 which, cpu;

	printf("scx_ktstr: stats:");
	for (which = 0; which < KTSTR_NR_STATS; which++) {
		__u64 sum = 0;

		if (bpf_map_lookup_elem(fd, &which, values))
			break;
		for (cpu = 0; cpu < nr_cpus; cpu++)
			sum += values[cpu];
		printf(" %s=%llu", stat_names[which], (unsigned long long)sum);
	}
	printf("\n");
}

static int run(struct bpf_object *obj, const struct settings *s)
{
	const volatile struct ktstr_exit *info = live_variable(obj, ".bss", "exit_info", sizeof(*info));
	const volatile __u64 *began_at_ns = live_variable(obj, ".bss", "began_at_ns", sizeof(*began_at_ns));
	struct bpf_map *ops = bpf_object__find_map_by_name(obj, "ktstr_ops");
	struct bpf_link *link;
	int status = 0;

	if (!info || !began_at_ns || !ops) {
		complain("cannot find or map the variables of the BPF half");
		return 1;
	}
	link = bpf_map__attach_struct_ops(ops);
	if (!link) {
		complain("cannot attach: %s%s", strerror(errno),
			 errno == EBUSY ? " (another sched_ext scheduler is running)" : "");
		return 1;
	}
	printf("scx_ktstr: attached (%u CPUs, %u LLCs, slice %llu us)\n", s->opts.nr_cpus, s->opts.nr_llcs,
	       (unsigned long long)s->opts.slice_ns / 1000);
	while (!stop_requested && !info->done && !exit_is_due(s, *began_at_ns))
		nap();
	if (info->done)
		status = report_exit((const struct ktstr_exit *)info);
	bpf_link__destroy(link);
	if (verbosity)
		print_stats(obj, s->opts.nr_cpus);
	if (!status)
		printf("scx_ktstr: detached\n");
	return status;
}

static void sleep_until_stopped(void)
{
	printf("scx_ktstr: loaded, not attaching\n");
	while (!stop_requested)
		nap();
}

static int load_and_run(const struct settings *s)
{
	struct bpf_link *hook = NULL;
	struct bpf_object *obj;
	bool has_switch_hook = false;
	int err, status = 1;

	obj = open_object();
	if (!obj)
		return 1;
	if (!prepare(obj, s, &has_switch_hook))
		goto out;
	err = bpf_object__load(obj);
	if (err) {
		complain("cannot load: %s", strerror(-err));
		goto out;
	}
	if (s->never_attach) {
		sleep_until_stopped();
		status = 0;
		goto out;
	}
	if (has_switch_hook) {
		hook = bpf_program__attach(bpf_object__find_program_by_name(obj, "ktstr_sched_switch"));
		if (!hook) {
			complain("cannot attach to sched_switch: %s", strerror(errno));
			goto out;
		}
	}
	status = run(obj, s);
out:
	bpf_link__destroy(hook);
	bpf_object__close(obj);
	return status;
}

static void catch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
}

int main(int argc, char **argv)
{
	static struct settings s;
	int nr_cpus;

	read_settings(argc, argv, &s);
	verbosity = s.verbosity;
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (s.exit_at_once >= 0) {
		complain("exiting at once with status %d, as told", s.exit_at_once);
		return s.exit_at_once;
	}
	nr_cpus = libbpf_num_possible_cpus();
	if (nr_cpus <= 0 || nr_cpus > KTSTR_MAX_CPUS) {
		complain("cannot handle %d possible CPUs (at most %d)", nr_cpus, KTSTR_MAX_CPUS);
		return 1;
	}
	s.opts.nr_cpus = (__u32)nr_cpus;
	/* Well before the watchdog would call it a stall. */
	s.opts.rescue_ns = s.watchdog_ms * 1000000ULL / 3;
	read_topology(&s.opts);
	libbpf_set_print(print_libbpf);
	if (verbosity)
		print_topology(&s.opts);
	catch_signals();
	return load_and_run(&s);
}
