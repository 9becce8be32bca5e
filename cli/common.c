// SPDX-License-Identifier: GPL-2.0-only
/* What subcommands share: errors, progress, topologies, and the plan of runs. */
#include <argp.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/env.h"
#include "base/clock.h"
#include "base/file.h"
#include "cli/commands.h"
#include "vm/bundle.h"

int ktstr_cli_fail(struct ktstr_error *error)
{
	ktstr_cli_progress_done();
	fprintf(stderr, "ktstr: %s\n", ktstr_error_message(error));
	ktstr_error_free(error);
	return KTSTR_EXIT_FAIL;
}

void ktstr_cli_print_json(json_t *json)
{
	json_dumpf(json, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(json);
}

static char progress_shown[128];
static uint64_t progress_drawn_ns;

static void draw_progress(void *context, const char *what, uint64_t done, uint64_t total)
{
	bool terminal = isatty(STDERR_FILENO);
	bool new_step = strncmp(progress_shown, what, sizeof(progress_shown) - 1);
	uint64_t now = ktstr_now_ns();

	(void)context;
	if (!new_step && (!terminal || (now - progress_drawn_ns < 100000000u && done != total)))
		return;
	snprintf(progress_shown, sizeof(progress_shown), "%s", what);
	progress_drawn_ns = now;
	if (!terminal)
		fprintf(stderr, "ktstr: %s\n", what);
	else if (total)
		fprintf(stderr, "\r\033[K%s  %llu/%llu MiB %3.0f%%", what, (unsigned long long)(done >> 20),
			(unsigned long long)(total >> 20), 100.0 * (double)done / (double)total);
	else
		fprintf(stderr, "\r\033[K%s", what);
}

const struct ktstr_progress *ktstr_cli_progress(void)
{
	static const struct ktstr_progress progress = { .report = draw_progress };

	return &progress;
}

void ktstr_cli_progress_done(void)
{
	if (*progress_shown && isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	*progress_shown = '\0';
}

struct ktstr_error *ktstr_cli_duration(const char *option, const char *text, uint64_t *duration_ns)
{
	KTSTR_TRY_WRAP(ktstr_parse_duration(text, duration_ns), "%s", option);
	return NULL;
}

int ktstr_cli_split(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], "--"))
			return i;
	return argc;
}

struct ktstr_error *ktstr_cli_cpu_cap(const char *text, unsigned int *cap)
{
	uint64_t number;

	if (!ktstr_parse_number(text, 1, KTSTR_MAX_CPUS, &number))
		return ktstr_error_new(KTSTR_ERR_INVALID, "--cpu-cap %s: give a number of host CPUs from 1 to %d", text,
				       KTSTR_MAX_CPUS);
	*cap = (unsigned int)number;
	return NULL;
}

static const struct argp_option run_options[] = {
	{ "kernel", 'K', "KERNEL", 0, "version (7.3), bzImage, or built source tree; default: newest in the cache", 0 },
	{ "topology", 't', "SHAPE", 0, "nodes, LLCs, cores per LLC, threads: 1n2l4c2t, a preset, or all presets that suit: all; repeatable", 0 },
	{ "duration", 'd', "TIME", 0, "how long the workload runs: 5s, 500ms", 0 },
	{ "jobs", 'j', "N", 0, "VMs at once; default: number of CPUs", 0 },
	{ "format", 'f', "FORMAT", 0, "human (default), ktap, or json", 0 },
	{ "json", 'J', NULL, 0, "short for --format json", 0 },
	{ "junit", 'X', "FILE", 0, "write the results as JUnit XML, too", 0 },
	{ "deterministic", 'D', NULL, 0, "virtual time, one emulation thread: the same seed gives the same run", 0 },
	{ "seed", 'n', "N", 0, "deterministic with this seed (default 1)", 0 },
	{ "seeds", 'N', "A..B", 0, "deterministic, once for each of these seeds", 0 },
	{ "explore", 'E', "N", 0, "short for --seeds 1..N", 0 },
	{ "budget", 'B', "TIME", 0, "start no further test after this time: 5m", 0 },
	{ "twice", 'W', NULL, 0, "deterministic; run each test twice and compare every event", 0 },
	{ "cold", 'C', NULL, 0, "boot every VM instead of restoring a template", 0 },
	{ "fresh-attach", 'A', NULL, 0, "attach the scheduler and start the program within each run", 0 },
	{ "work-type", 'w', "NAME", 0, "what workers of swappable cgroups do instead; `ktstr list --work-types`", 0 },
	{ "vmcore", 'V', "DIR", 0, "keep an ELF core of the guest's memory of each error exit of a scheduler in DIR", 0 },
	{ "release", 'R', NULL, 0, "strict default limits: gap 2000 ms, spread 15 %", 0 },
	{ "no-perf-mode", 'P', NULL, 0, "keep VMs to a pool of host CPUs that others may use, too; no performance mode", 0 },
	{ "cpu-cap", 'U', "N", 0, "how many host CPUs the VMs' pool has; makes a pool for tests without a mode", 0 },
	{ "no-skip-mode", 'S', NULL, 0, "a skipped test fails", 0 },
	{ "fail-fast", 'F', NULL, 0, "start nothing more after a failure", 0 },
	{ 0 },
};

static void usage_error(struct argp_state *state, struct ktstr_error *error)
{
	char message[1024];

	snprintf(message, sizeof(message), "%s", ktstr_error_message(error));
	ktstr_error_free(error);
	argp_failure(state, KTSTR_EXIT_FAIL, 0, "%s", message);
}

enum { MAX_SEEDS = 1000000 };

/* Results keep it as a JSON integer, which is signed. *end is behind the digits. */
static bool parse_seed(const char *text, const char **end, uint64_t *seed)
{
	char *behind;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*seed = strtoull(text, &behind, 10);
	*end = behind;
	return !errno && *seed <= INT64_MAX;
}

static struct ktstr_error *wrong_seeds(int key, const char *value, uint64_t first, uint64_t last)
{
	if (key == 'E')
		return ktstr_error_new(KTSTR_ERR_INVALID, "--explore %s: give the number of seeds to try, from 1 to %d", value,
				       MAX_SEEDS);
	if (key == 'n')
		return ktstr_error_new(KTSTR_ERR_INVALID, "--seed %s: give a number such as 7, 9223372036854775807 at most", value);
	if (last && last < first)
		return ktstr_error_new(KTSTR_ERR_INVALID, "--seeds %s: the range is backwards: write %llu..%llu", value,
				       (unsigned long long)last, (unsigned long long)first);
	return ktstr_error_new(KTSTR_ERR_INVALID, "--seeds %s: give a range of at most %d seeds such as 1..100", value, MAX_SEEDS);
}

/* "7" for --seed and --explore, "1..100" for --seeds. */
static struct ktstr_error *parse_seeds(int key, const char *value, struct ktstr_cli_run_options *options)
{
	const char *end;
	uint64_t first = 0, last = 0;
	bool valid = parse_seed(value, &end, &first);

	last = first;
	if (key == 'N')
		valid = valid && !strncmp(end, "..", 2) && parse_seed(end + 2, &end, &last);
	if (key == 'E')
		first = 1;
	if (!valid || *end || last < first || last - first >= MAX_SEEDS)
		return wrong_seeds(key, value, first, valid && !*end ? last : 0);
	options->deterministic = options->seeds_given = true;
	options->first_seed = first;
	options->last_seed = last;
	return NULL;
}

/* Better now than after an hour of tests. */
static struct ktstr_error *check_junit_path(const char *path)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *dir = slash ? ktstr_xstrndup(path, (size_t)(slash - path) + 1) : ktstr_xstrdup(".");

	if (!*path || access(dir, W_OK))
		return ktstr_error_new(KTSTR_ERR_INVALID, "--junit %s: cannot write to %s", path, dir);
	return NULL;
}

static struct ktstr_error *check_work_type(const char *name)
{
	struct ktstr_work_type type;
	const char *nearest = ktstr_work_type_suggest(name);

	if (ktstr_work_type_from_name(name, &type))
		return NULL;
	return ktstr_error_new(KTSTR_ERR_INVALID,
			       "--work-type %s: no work type that can be named%s%s%s; `ktstr list --work-types` lists them", name,
			       nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
}

static error_t parse_run_option(int key, char *value, struct argp_state *state)
{
	struct ktstr_cli_run_options *options = state->input;
	struct ktstr_error *error = NULL;
	unsigned long jobs;
	char *end;

	switch (key) {
	case ARGP_KEY_INIT:
		/* Unlike all others it counts when it is there, even empty. */
		options->pool.no_skip_mode = getenv("KTSTR_NO_SKIP_MODE") != NULL;
		break;
	case 'K':
		options->kernel = value;
		break;
	case 't':
		error = ktstr_cli_check_topologies(value);
		ktstr_strv_add(&options->topologies, value);
		break;
	case 'd':
		error = ktstr_cli_duration("--duration", value, &options->duration_ns);
		break;
	case 'j':
		jobs = strtoul(value, &end, 10);
		if (*end || !jobs || jobs > 1024)
			error = ktstr_error_new(KTSTR_ERR_INVALID, "--jobs %s: give a number from 1 to 1024", value);
		options->pool.jobs = (unsigned int)jobs;
		break;
	case 'f':
		if (!ktstr_format_from_name(value, &options->pool.format))
			error = ktstr_error_new(KTSTR_ERR_INVALID, "--format %s: give human, ktap or json", value);
		break;
	case 'J':
		options->pool.format = KTSTR_FORMAT_JSON;
		break;
	case 'X':
		error = check_junit_path(value);
		options->pool.junit_path = value;
		break;
	case 'w':
		error = check_work_type(value);
		options->work_type = value;
		break;
	case 'V':
		error = ktstr_make_dirs(value);
		if (error)
			error = ktstr_error_wrap(error, "--vmcore");
		options->vmcore_dir = value;
		break;
	case 'R':
		options->release = true;
		break;
	case 'D':
		options->deterministic = true;
		break;
	case 'W':
		options->deterministic = options->twice = true;
		break;
	case 'C':
		options->cold = true;
		break;
	case 'A':
		options->fresh_attach = true;
		break;
	case 'n':
	case 'N':
	case 'E':
		error = parse_seeds(key, value, options);
		break;
	case 'B':
		error = ktstr_cli_duration("--budget", value, &options->pool.budget_ns);
		break;
	case 'P':
		options->no_perf_mode = true;
		break;
	case 'U':
		error = ktstr_cli_cpu_cap(value, &options->cpu_cap);
		break;
	case 'S':
		options->pool.no_skip_mode = true;
		break;
	case 'F':
		options->pool.fail_fast = true;
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	if (error)
		usage_error(state, error);
	return 0;
}

const struct argp ktstr_cli_run_argp = { .options = run_options, .parser = parse_run_option };

static void add_reproduce(struct ktstr_run *run, const struct ktstr_cli_plan *plan,
			  const struct ktstr_cli_run_options *options, const char *scheduler,
			  const char *shape)
{
	char duration[32];

	ktstr_strv_add(&run->reproduce, "ktstr");
	if (plan->program_argument) {
		ktstr_strv_add(&run->reproduce, "test");
		ktstr_strv_add(&run->reproduce, plan->program_argument);
		ktstr_strv_addf(&run->reproduce, "--filter==%s", run->full_name);
	} else {
		ktstr_strv_add(&run->reproduce, "run");
		if (options->rt_app)
			ktstr_strv_addf(&run->reproduce, "--rt-app=%s", options->rt_app);
		else
			ktstr_strv_addf(&run->reproduce, "--scenario=%s", run->test->name);
	}
	if (scheduler)
		ktstr_strv_addf(&run->reproduce, "--scheduler=%s", scheduler);
	/* Declared nodes have no text form; they are the test's own anyway. */
	if (!run->test->host_only && !run->topology.nodes)
		ktstr_strv_addf(&run->reproduce, "--topology=%s", shape);
	ktstr_strv_addf(&run->reproduce, "--duration=%s", ktstr_format_duration(run->duration_ns, duration));
	if (options->kernel)
		ktstr_strv_addf(&run->reproduce, "--kernel=%s", options->kernel);
	if (run->work_type)
		ktstr_strv_addf(&run->reproduce, "--work-type=%s", run->work_type);
	if (options->disk.capacity_mib)
		ktstr_strv_addf(&run->reproduce, "--disk=%uMiB", options->disk.capacity_mib);
	if (options->release)
		ktstr_strv_add(&run->reproduce, "--release");
	if (options->cold)
		ktstr_strv_add(&run->reproduce, "--cold");
	if (options->no_perf_mode)
		ktstr_strv_add(&run->reproduce, "--no-perf-mode");
	if (options->cpu_cap)
		ktstr_strv_addf(&run->reproduce, "--cpu-cap=%u", options->cpu_cap);
	if (run->deterministic)
		ktstr_strv_addf(&run->reproduce, "--seed=%llu", (unsigned long long)run->seed);
	if (scheduler && run->scheduler.args.count) {
		ktstr_strv_add(&run->reproduce, "--");
		for (size_t i = 0; i < run->scheduler.args.count; i++)
			ktstr_strv_add(&run->reproduce, run->scheduler.args.items[i]);
	}
}

/* What ktstr_cli_plan_test() was asked for. */
struct request {
	struct ktstr_cli_plan *plan;
	const struct ktstr_program *program;
	const struct ktstr_test_info *test;
	const struct ktstr_cli_run_options *options;
	const char *scheduler;
	char **scheduler_args;
};

static bool is_deterministic(const struct ktstr_test_info *test, const struct ktstr_cli_run_options *options)
{
	return (options->deterministic && !test->host_only) || test->deterministic;
}

/* Virtual time has no place for what threads of the host complete. */
static struct ktstr_error *choose_devices(struct ktstr_run *run, const struct ktstr_cli_run_options *options)
{
	const char *devices;

	run->disk = options->disk.capacity_mib && !run->test->host_only ? &options->disk : run->test->disk;
	devices = run->disk ? "a disk" : run->test->networks.count ? "network devices (.networks)" : NULL;
	if (!devices || !run->deterministic)
		return NULL;
	return ktstr_error_new(KTSTR_ERR_INVALID,
			       "test %s has %s, which a deterministic run cannot have: requests are completed by threads of the host, at no "
			       "repeatable moment; run it without %s, or choose others with --filter",
			       run->test->name, devices, options->seeds_given ? "a seed" : "--deterministic");
}

static struct ktstr_error *plan_one(const struct request *request, const struct ktstr_topology *topology, uint64_t seed,
				    const char *refusal)
{
	const struct ktstr_cli_run_options *options = request->options;
	const struct ktstr_test_info *test = request->test;
	struct ktstr_cli_plan *plan = request->plan;
	const struct ktstr_mode_wish wish = { .performance_mode = test->performance_mode,
					      .no_perf_mode = test->no_perf_mode,
					      .cpu_budget = test->cpu_budget,
					      .operator_no_perf = options->no_perf_mode,
					      .cpu_cap = options->cpu_cap };
	char text[KTSTR_TOPOLOGY_TEXT_BYTES];
	struct ktstr_run *run;

	plan->runs = ktstr_xrealloc(plan->runs, (plan->count + 1) * sizeof(*plan->runs));
	run = &plan->runs[plan->count++];
	*run = (struct ktstr_run){ .program = request->program, .test = test, .topology = *topology };
	run->full_name = ktstr_xasprintf("ktstr/%s", test->name);
	run->refusal = refusal ? ktstr_xstrdup(refusal) : NULL;
	run->duration_ns = options->duration_ns ? options->duration_ns : test->duration_ns;
	run->rt_app = options->rt_app ? ktstr_xstrdup(options->rt_app) : NULL;
	run->work_type = options->work_type ? ktstr_xstrdup(options->work_type) : NULL;
	run->deterministic = is_deterministic(test, options);
	run->twice = options->twice && !test->host_only;
	run->cold = options->cold;
	run->fresh_attach = options->fresh_attach || test->fresh_attach;
	run->seed = seed;
	KTSTR_TRY(choose_devices(run, options));
	if (!test->host_only)
		KTSTR_TRY(ktstr_reserve_request_init(&wish, &run->reserve));
	KTSTR_TRY(ktstr_run_choose_schedulers(run, request->scheduler, false, request->scheduler_args));
	KTSTR_TRY(ktstr_run_find_includes(run));
	add_reproduce(run, plan, options, request->scheduler, ktstr_topology_format(&run->topology, text));
	return NULL;
}

/* shape: NULL = the test's own, on which the program has checked its plans when it described itself. */
static struct ktstr_error *plan_topology(const struct request *request, const char *shape)
{
	const struct ktstr_cli_run_options *options = request->options;
	uint64_t first = options->seeds_given ? options->first_seed : 1;
	uint64_t last = options->seeds_given ? options->last_seed : 1;
	_cleanup_free_ char *refusal = NULL;
	struct ktstr_topology topology;

	KTSTR_TRY(ktstr_cli_test_topology(request->test, shape, &topology));
	refusal = ktstr_cli_refuses_topology(request->test, &topology);
	/* Whatever the seed. */
	if (refusal)
		return plan_one(request, &topology, first, refusal);
	if (shape && request->test->has_plan)
		KTSTR_TRY(ktstr_program_check_plan(request->program, request->test, &topology));
	for (uint64_t seed = first; seed <= last; seed++)
		KTSTR_TRY(plan_one(request, &topology, seed, NULL));
	return NULL;
}

static struct ktstr_error *plan_presets(const struct request *request)
{
	bool deterministic = is_deterministic(request->test, request->options);
	struct ktstr_cli_presets presets = ktstr_cli_presets_of(request->test, deterministic);
	_cleanup_strv_ struct ktstr_strv names = presets.names;
	_cleanup_free_ char *refusal = NULL;

	for (size_t i = 0; i < names.count; i++)
		KTSTR_TRY(plan_topology(request, names.items[i]));
	if (names.count)
		return NULL;
	refusal = ktstr_cli_no_preset(&presets);
	return plan_one(request, &request->test->topology, 1, refusal);
}

struct ktstr_error *ktstr_cli_plan_test(struct ktstr_cli_plan *plan, const struct ktstr_program *program,
					const struct ktstr_test_info *test,
					const struct ktstr_cli_run_options *options,
					const char *scheduler, char **scheduler_args)
{
	const struct request request = { plan, program, test, options, scheduler, scheduler_args };
	/* One machine, with the scheduler it has. */
	const struct request on_host = { .plan = plan, .program = program, .test = test, .options = options };

	if (test->host_only)
		return plan_one(&on_host, &test->topology, options->seeds_given ? options->first_seed : 1, NULL);
	if (!options->topologies.count)
		return plan_topology(&request, NULL);
	for (size_t i = 0; i < options->topologies.count; i++) {
		const char *shape = options->topologies.items[i];

		if (!strcmp(shape, KTSTR_CLI_ALL_PRESETS))
			KTSTR_TRY(plan_presets(&request));
		else
			KTSTR_TRY(plan_topology(&request, shape));
	}
	return NULL;
}

void ktstr_cli_plan_deinit(struct ktstr_cli_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		ktstr_run_deinit(&plan->runs[i]);
	free(plan->runs);
}

static bool will_be_skipped(const struct ktstr_run *run, const struct ktstr_kernel *kernel)
{
	_cleanup_free_ char *reason = ktstr_run_refuses(run, kernel);

	return reason;
}

/* A sched_ext scheduler on a kernel without the class would only fail inside the guest: say it before. */
static struct ktstr_error *check_kernel(const struct ktstr_run_setup *setup, const struct ktstr_cli_plan *plan)
{
	_cleanup_free_ char *value = NULL;

	if (!setup->kernel.config_path)
		return NULL;
	value = ktstr_kernel_config_value(&setup->kernel, "SCHED_CLASS_EXT");
	if (value && !strcmp(value, "y"))
		return NULL;
	for (size_t i = 0; i < plan->count; i++)
		if (plan->runs[i].scheduler.path && !will_be_skipped(&plan->runs[i], &setup->kernel))
			return ktstr_error_new(KTSTR_ERR_UNSUPPORTED,
					       "kernel %s has no sched_ext (CONFIG_SCHED_CLASS_EXT is not set): scheduler %s cannot run on it; "
					       "--scheduler eevdf can, or get another kernel with `ktstr kernel get`",
					       setup->kernel.version, plan->runs[i].scheduler.label);
	return NULL;
}

/* What a guest could not run, or lacks libraries of, is told before one boots. */
static struct ktstr_error *check_scheduler(const char *path)
{
	_cleanup_strv_ struct ktstr_strv libraries = { 0 };

	KTSTR_TRY_WRAP(ktstr_elf_closure(path, &libraries), "scheduler");
	return NULL;
}

static struct ktstr_error *check_schedulers(const struct ktstr_cli_plan *plan)
{
	_cleanup_strv_ struct ktstr_strv checked = { 0 };

	for (size_t i = 0; i < plan->count; i++) {
		const char *path = plan->runs[i].scheduler.path;

		if (!path || ktstr_strv_contains(&checked, path))
			continue;
		KTSTR_TRY(check_scheduler(path));
		ktstr_strv_add(&checked, path);
	}
	return NULL;
}

/* Runs of host_only tests alone need no kernel and no QEMU. */
static struct ktstr_error *set_up(const struct ktstr_cli_plan *plan, const struct ktstr_cli_run_options *options,
				  struct ktstr_run_setup *setup)
{
	for (size_t i = 0; i < plan->count; i++)
		if (!plan->runs[i].test->host_only)
			return ktstr_run_setup_init(options->kernel, ktstr_cli_progress(), setup);
	return ktstr_run_setup_host(setup);
}

/* The remedy in parentheses is long, and not wanted in front of each run; `ktstr doctor` and reports have it. */
static void print_machine(const struct ktstr_run_setup *setup)
{
	const char *reason = setup->accel.reason ?: "", *remedy = strstr(reason, " (");

	if (setup->no_vm)
		fprintf(stderr, "kernel %s of this host, no VM\n", setup->kernel.release);
	else
		fprintf(stderr, "kernel %s, QEMU %s, %s: %.*s\n", setup->kernel.release, setup->qemu.version,
			ktstr_accel_name(setup->accel.accel), (int)(remedy ? remedy - reason : (ptrdiff_t)strlen(reason)), reason);
}

int ktstr_cli_execute(const struct ktstr_cli_plan *plan, const struct ktstr_cli_run_options *options)
{
	struct ktstr_run_setup setup;
	int exit_code = KTSTR_EXIT_FAIL;
	struct ktstr_error *error = set_up(plan, options, &setup);

	ktstr_cli_progress_done();
	setup.strict = options->release;
	setup.vmcore_dir = options->vmcore_dir;
	if (!error)
		error = check_kernel(&setup, plan);
	if (!error)
		error = check_schedulers(plan);
	if (!error && options->pool.format == KTSTR_FORMAT_HUMAN)
		print_machine(&setup);
	if (!error)
		error = ktstr_pool_run(&setup, plan->runs, plan->count, &options->pool, &exit_code);
	if (error) {
		bool cancelled = ktstr_error_code(error) == KTSTR_ERR_CANCELLED;

		ktstr_cli_fail(error);
		exit_code = cancelled ? 130 : KTSTR_EXIT_FAIL;
	}
	ktstr_run_setup_deinit(&setup);
	return exit_code;
}
