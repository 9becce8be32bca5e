// SPDX-License-Identifier: GPL-2.0-only
/* Instances of schedulers; all text comes from a guest. */
#include <string.h>

#include "check/json_util.h"
#include "runner/instances.h"

enum { MAX_INSTANCES = 1000, MAX_LOG_BYTES = 16 << 20, LOG_TAIL_BYTES = 16 << 10 };

void ktstr_sched_instances_deinit(struct ktstr_sched_instances *instances)
{
	for (size_t i = 0; i < instances->count; i++) {
		free(instances->items[i].name);
		free(instances->items[i].ops);
		free(instances->items[i].end);
		ktstr_str_deinit(&instances->items[i].log);
	}
	free(instances->items);
	*instances = (struct ktstr_sched_instances){ 0 };
}

void ktstr_sched_instances_start(struct ktstr_sched_instances *instances, const char *name)
{
	if (instances->count == MAX_INSTANCES)
		return;
	instances->items = ktstr_xrealloc(instances->items, (instances->count + 1) * sizeof(*instances->items));
	instances->items[instances->count++] = (struct ktstr_sched_instance){ .name = ktstr_xstrdup(name) };
}

struct ktstr_sched_instance *ktstr_sched_instances_current(struct ktstr_sched_instances *instances, const char *name)
{
	if (!instances->count)
		ktstr_sched_instances_start(instances, name);
	return &instances->items[instances->count - 1];
}

void ktstr_sched_instances_log(struct ktstr_sched_instances *instances, const char *name, const void *text,
			       size_t length)
{
	if (instances->log_bytes > MAX_LOG_BYTES)
		return;
	instances->log_bytes += length;
	ktstr_str_add_bytes(&ktstr_sched_instances_current(instances, name)->log, text, length);
}

char *ktstr_sched_instances_text(const struct ktstr_sched_instances *instances)
{
	struct ktstr_str text = { 0 };

	for (size_t i = 0; i < instances->count; i++) {
		const struct ktstr_sched_instance *item = &instances->items[i];

		if (instances->count > 1) {
			ktstr_str_addf(&text, "=== scheduler %zu: ", i + 1);
			ktstr_str_add_printable(&text, item->name, strlen(item->name));
			ktstr_str_add(&text, " ===\n");
		}
		ktstr_str_add_bytes(&text, ktstr_str_text(&item->log), item->log.length);
		if (item->log.length && item->log.data[item->log.length - 1] != '\n')
			ktstr_str_add(&text, "\n");
	}
	return ktstr_str_take(&text);
}

/* JSON of guest text: what is not printable is made so. */
static json_t *text_json(const char *text, size_t length)
{
	_cleanup_str_ struct ktstr_str printable = { 0 };

	if (!text)
		return json_null();
	ktstr_str_add_printable(&printable, text, length);
	return ktstr_json_text(ktstr_str_text(&printable));
}

static json_t *line_json(const char *text)
{
	return text_json(text, text ? strlen(text) : 0);
}

json_t *ktstr_sched_instances_json(const struct ktstr_sched_instances *instances)
{
	json_t *array = instances->count ? json_array() : NULL;

	for (size_t i = 0; i < instances->count; i++) {
		const struct ktstr_sched_instance *item = &instances->items[i];
		size_t skipped = item->log.length > LOG_TAIL_BYTES ? item->log.length - LOG_TAIL_BYTES : 0;

		json_array_append_new(array,
				      json_pack("{si so so so so}", "instance", (int)i + 1, "name", line_json(item->name),
						"ops", line_json(item->ops), "end", line_json(item->end), "log",
						text_json(ktstr_str_text(&item->log) + skipped,
							  item->log.length - skipped)));
	}
	return array;
}
