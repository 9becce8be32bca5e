// SPDX-License-Identifier: GPL-2.0-only
/* `ktstr template`: what the template store holds, and emptying it. */
#include <argp.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/commands.h"
#include "vm/template_store.h"

struct template_arguments {
	const char *action;
	struct ktstr_strv keys;
	bool all, json;
};

static const struct argp_option options[] = {
	{ "all", 'a', NULL, 0, "drop: every template", 0 },
	{ "json", 'J', NULL, 0, "list: as JSON", 0 },
	{ 0 },
};

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct template_arguments *arguments = state->input;

	switch (key) {
	case 'a':
		arguments->all = true;
		return 0;
	case 'J':
		arguments->json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (!arguments->action)
			arguments->action = value;
		else
			ktstr_strv_add(&arguments->keys, value);
		return 0;
	case ARGP_KEY_END:
		if (!arguments->action)
			arguments->action = "list";
		if (strcmp(arguments->action, "list") && strcmp(arguments->action, "drop"))
			argp_failure(state, KTSTR_EXIT_FAIL, 0, "no action \"%s\": list or drop", arguments->action);
		if (!strcmp(arguments->action, "drop") && !arguments->all && !arguments->keys.count)
			argp_failure(state, KTSTR_EXIT_FAIL, 0, "drop what? KEY... or --all");
		/* As of a script's variable that is not set: every key begins with it. */
		if (ktstr_strv_contains(&arguments->keys, ""))
			argp_failure(state, KTSTR_EXIT_FAIL, 0, "drop: a KEY is empty; --all drops every template");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "list\ndrop KEY...\ndrop --all",
	.doc = "Templates are VMs saved after boot, from which tests start in a tenth of a second. They live in shared "
	       "memory ($KTSTR_TEMPLATE_DIR) and are made and evicted as needed.",
};

static struct ktstr_error *list(bool json)
{
	_cleanup_free_ char *store = ktstr_template_dir();
	struct ktstr_template_entry *entries;
	json_t *array = json_array();
	size_t count;

	KTSTR_TRY(ktstr_template_list(&entries, &count));
	if (!json && !count)
		printf("no templates in %s\n", store);
	if (!json && count)
		printf("%-12s %8s  %-20s  %s\n", "KEY", "MIB", "LAST USED", "WHAT");
	for (size_t i = 0; i < count; i++) {
		const struct ktstr_template_entry *entry = &entries[i];
		char used[32];

		ktstr_format_utc(entry->last_used_unix_seconds, used);
		if (json)
			json_array_append_new(array, json_pack("{ss sI ss ss sb}", "key", entry->key, "used_bytes",
							       (json_int_t)entry->used_bytes, "last_used", used,
							       "description", entry->description, "in_use",
							       (int)entry->in_use));
		else
			printf("%-12.12s %8llu  %-20s  %s%s\n", entry->key,
			       (unsigned long long)(entry->used_bytes >> 20), used, entry->description,
			       entry->in_use ? " (in use)" : "");
	}
	if (json)
		ktstr_cli_print_json(ktstr_take(array));
	json_decref(array);
	ktstr_template_entries_free(entries, count);
	return NULL;
}

static struct ktstr_error *drop(const struct template_arguments *arguments)
{
	size_t dropped = 0, left = 0, total = 0;

	if (arguments->all)
		KTSTR_TRY(ktstr_template_drop(NULL, &total, &left));
	for (size_t i = 0; i < arguments->keys.count; i++) {
		KTSTR_TRY(ktstr_template_drop(arguments->keys.items[i], &dropped, &left));
		if (!dropped && !left)
			return ktstr_error_new(KTSTR_ERR_NOT_FOUND, "no template %s; `ktstr template list` shows them",
					       arguments->keys.items[i]);
		total += dropped;
	}
	printf("dropped %zu\n", total);
	if (left)
		return ktstr_error_new(KTSTR_ERR_BUSY, "%zu in use; try again when the tests have ended", left);
	return NULL;
}

int ktstr_cmd_template(int argc, char **argv)
{
	struct template_arguments arguments = { 0 };
	struct ktstr_error *error;

	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	error = strcmp(arguments.action, "drop") ? list(arguments.json) : drop(&arguments);
	ktstr_strv_deinit(&arguments.keys);
	return error ? ktstr_cli_fail(error) : KTSTR_EXIT_PASS;
}
