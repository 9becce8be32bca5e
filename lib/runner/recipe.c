// SPDX-License-Identifier: GPL-2.0-only
/* Recipes of deterministic runs. */
#include <string.h>

#include "base/cleanup.h"
#include "base/digest.h"
#include "runner/recipe.h"
#include "vm/bundle.h"

enum { RECIPE_VERSION = 2 };

/* {path, sha256}, null for no path. */
static json_t *file_json(const char *path)
{
	char digest[KTSTR_DIGEST_BYTES] = "";

	if (!path)
		return json_null();
	ktstr_error_free(ktstr_sha256_file(path, digest));
	return json_pack("{ss ss}", "path", path, "sha256", digest);
}

/* Those that a program brings along, without what every guest has (guest_base). One that cannot be read does not run. */
static void add_libraries(const struct ktstr_run_setup *setup, const char *path, struct ktstr_strv *libraries)
{
	_cleanup_strv_ struct ktstr_strv own = { 0 };

	if (path)
		ktstr_error_free(ktstr_elf_closure(path, &own));
	for (size_t i = 0; i < own.count; i++)
		if (!ktstr_strv_contains(&setup->base.libraries, own.items[i]) && !ktstr_strv_contains(libraries, own.items[i]))
			ktstr_strv_add(libraries, own.items[i]);
}

static json_t *libraries_json(const struct ktstr_run_setup *setup, const struct ktstr_run *run)
{
	_cleanup_strv_ struct ktstr_strv libraries = { 0 };
	json_t *array = json_array();

	add_libraries(setup, run->program->path, &libraries);
	add_libraries(setup, run->scheduler.path, &libraries);
	for (size_t i = 0; i < run->staged_count; i++)
		add_libraries(setup, run->staged[i].path, &libraries);
	for (size_t i = 0; i < libraries.count; i++)
		json_array_append_new(array, file_json(libraries.items[i]));
	return array;
}

json_t *ktstr_recipe(const struct ktstr_run_setup *setup, const struct ktstr_run *run,
		     const struct ktstr_test_result *result)
{
	char shape[KTSTR_TOPOLOGY_TEXT_BYTES];
	/* A kernel of the cache comes with its modules, a bare image without: name it as it was found. */
	bool cached = setup->kernel.source && !strcmp(setup->kernel.source, "debian");
	json_t *args = json_array(), *includes = json_array();

	for (size_t i = 0; i < run->includes.count; i++)
		json_array_append_new(includes, file_json(run->includes.items[i].host_path));
	for (size_t i = 0; i < run->scheduler_includes.count; i++)
		json_array_append_new(includes, file_json(run->scheduler_includes.items[i].host_path));
	for (size_t i = 0; i < run->staged_count; i++)
		json_array_append_new(includes, file_json(run->staged[i].path));
	for (size_t i = 0; i < run->scheduler.args.count; i++)
		json_array_append_new(args, json_string(run->scheduler.args.items[i]));
	return json_pack("{si so ss so so sb so so so so ss ss ss sI sI sb sb sb ss* ss* so ss ss*}", "version", RECIPE_VERSION, "program",
			 file_json(run->program->path), "test", run->test->name, "scheduler",
			 file_json(run->scheduler.path), "scheduler_args", args, "declared", (int)run->declared, "agent",
			 file_json(setup->base.agent_path), "includes", includes, "libraries", libraries_json(setup, run),
			 "kernel", file_json(setup->kernel.image_path), "kernel_spec",
			 cached ? setup->kernel.version : setup->kernel.image_path, "qemu_version", setup->qemu.version, "topology",
			 ktstr_topology_format(&run->topology, shape), "duration_ns", (json_int_t)run->duration_ns,
			 "seed", (json_int_t)run->seed, "strict", (int)setup->strict, "cold",
			 (int)run->cold, "fresh_attach", (int)run->fresh_attach, "rt_app", run->rt_app, "work_type", run->work_type, "lockstep",
			 file_json(setup->lockstep_path), "guest_base", setup->base.digest,
			 "digest", result->digest);
}

static struct ktstr_error *check_file(const json_t *file, const char *what)
{
	const char *path = json_string_value(json_object_get(file, "path"));
	const char *recorded = json_string_value(json_object_get(file, "sha256"));
	char now[KTSTR_DIGEST_BYTES];

	if (!path || !recorded)
		return NULL;
	KTSTR_TRY_WRAP(ktstr_sha256_file(path, now), "the %s of the recorded run", what);
	if (strcmp(now, recorded))
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "the %s %s has changed since the run was recorded (sha256 %.12s, was %.12s): its replay would be another run",
				       what, path, now, recorded);
	return NULL;
}

struct ktstr_error *ktstr_recipe_check(const json_t *recipe, const struct ktstr_run_setup *setup)
{
	static const char *const files[] = { "program", "scheduler", "agent", "lockstep", "kernel" };
	const json_t *includes = json_object_get(recipe, "includes"), *libraries = json_object_get(recipe, "libraries");
	const char *qemu = json_string_value(json_object_get(recipe, "qemu_version"));
	const char *base = json_string_value(json_object_get(recipe, "guest_base"));

	if (json_integer_value(json_object_get(recipe, "version")) != RECIPE_VERSION)
		return ktstr_error_new(KTSTR_ERR_UNSUPPORTED, "the recipe is of another version of ktstr");
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		KTSTR_TRY(check_file(json_object_get(recipe, files[i]), files[i]));
	for (size_t i = 0; i < json_array_size(includes); i++)
		KTSTR_TRY(check_file(json_array_get(includes, i), "included file"));
	for (size_t i = 0; i < json_array_size(libraries); i++)
		KTSTR_TRY(check_file(json_array_get(libraries, i), "library"));
	if (!base || strcmp(base, setup->base.digest))
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "libraries that every guest has (libktstr or one that it links) have changed since the run was recorded: its replay would be another run");
	if (!qemu || strcmp(qemu, setup->qemu.version))
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "the run was recorded with QEMU %s, here is %s: its replay would be another run",
				       qemu ? qemu : "?", setup->qemu.version);
	return NULL;
}
