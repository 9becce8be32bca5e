// SPDX-License-Identifier: GPL-2.0-only
/* The options of the commands that run tests. */
#include <argp.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/env.h"
#include "base/file.h"
#include "cli/commands.h"

static const struct argp_option run_options[] = {
	{ "kernel", 'K', "KERNEL", 0, "version (7.3), bzImage, or built source tree; default: newest in the cache", 0 },
	{ "topology", 't', "SHAPE", 0, "nodes, LLCs, cores per LLC, threads: 1n2l4c2t, a preset, or all presets that suit: all; repeatable", 0 },
	{ "duration", 'd', "TIME", 0, "how long the workload runs: 5s, 500ms", 0 },
	{ "jobs", 'j', "N", 0, "VMs at once; default: KTSTR_JOBS, or the number of CPUs", 0 },
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
	uint64_t jobs = 0;

	switch (key) {
	case ARGP_KEY_INIT:
		/* One that is no number was refused when the command began. */
		ktstr_error_free(ktstr_env_number("KTSTR_JOBS", KTSTR_JOBS_FORM, 1, KTSTR_MAX_JOBS, &jobs));
		options->pool.jobs = (unsigned int)jobs;
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
		if (!ktstr_parse_number(value, 1, KTSTR_MAX_JOBS, &jobs))
			error = ktstr_error_new(KTSTR_ERR_INVALID, "--jobs %s: give " KTSTR_JOBS_FORM, value);
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
