// SPDX-License-Identifier: GPL-2.0-only
/* Contents of BPF maps as text, one printer a kind of contents. */
#include <string.h>

#include "base/cleanup.h"
#include "dump/text.h"
#include "ktstr/cpuset.h"

enum { VARYING_MAX = 8, PAGE_BYTES_SHOWN = 32 };

static void value_line(struct ktstr_str *out, const struct ktstr_rendered_value *value, int indent)
{
	if (value)
		ktstr_value_block(out, value, indent);
	else
		ktstr_str_add(out, "<unmapped>");
	ktstr_str_add(out, "\n");
}

static char *inline_text(const struct ktstr_rendered_value *value)
{
	struct ktstr_str text = { 0 };

	if (value)
		ktstr_value_inline(&text, value);
	else
		ktstr_str_add(&text, "<unmapped>");
	return ktstr_str_take(&text);
}

static bool all_scalar(const struct ktstr_failure_dump_map *map)
{
	for (size_t i = 0; i < map->entries_count; i++)
		if (!map->entries[i].key || !map->entries[i].value || !ktstr_value_is_scalar(map->entries[i].key) ||
		    !ktstr_value_is_scalar(map->entries[i].value))
			return false;
	return map->entries_count >= 2;
}

/* Local storage of tasks has their addresses for keys. */
static void key_text(struct ktstr_str *out, const struct ktstr_failure_dump *dump, const struct ktstr_rendered_value *key,
		     const char *hex)
{
	ktstr_str_add(out, "[");
	if (key && key->kind == KTSTR_RENDERED_PTR && ktstr_text_task(out, dump, key->number))
		;
	else if (key)
		ktstr_value_inline(out, key);
	else
		ktstr_text_guest(out, hex ? hex : "?");
	ktstr_str_add(out, "]");
}

static void entries(struct ktstr_str *out, const struct ktstr_failure_dump *dump, const struct ktstr_failure_dump_map *map)
{
	struct ktstr_text_table table = { .separator = " | " };

	if (!all_scalar(map)) {
		for (size_t i = 0; i < map->entries_count; i++) {
			ktstr_str_add(out, "    ");
			key_text(out, dump, map->entries[i].key, map->entries[i].key_hex);
			ktstr_str_add(out, " ");
			value_line(out, map->entries[i].value, 4);
			if (map->entries[i].payload) {
				ktstr_str_add(out, "      → ");
				value_line(out, map->entries[i].payload, 6);
			}
		}
		return;
	}
	ktstr_table_cell(&table, "keys");
	ktstr_table_cell(&table, "values");
	ktstr_table_row(&table);
	for (size_t i = 0; i < map->entries_count; i++) {
		_cleanup_free_ char *key = inline_text(map->entries[i].key), *value = inline_text(map->entries[i].value);

		ktstr_table_cell(&table, key);
		ktstr_table_cell(&table, value);
		ktstr_table_row(&table);
	}
	ktstr_table_print(&table, out, 4);
}

static void key_range(struct ktstr_str *out, uint32_t from, uint32_t to)
{
	if (from == to)
		ktstr_str_addf(out, "    [%u]", from);
	else
		ktstr_str_addf(out, "    [%u..%u]", from, to);
}

static void array_entries(struct ktstr_str *out, const struct ktstr_failure_dump_map *map)
{
	size_t i = 0, end;

	/* Neighbours with the same value share a line. */
	for (; i < map->array_entries_count; i = end) {
		_cleanup_free_ char *text = inline_text(map->array_entries[i].value);

		for (end = i + 1; end < map->array_entries_count; end++) {
			_cleanup_free_ char *next = inline_text(map->array_entries[end].value);

			if (strcmp(text, next))
				break;
		}
		key_range(out, map->array_entries[i].key, map->array_entries[end - 1].key);
		ktstr_str_add(out, " ");
		value_line(out, map->array_entries[i].value, 4);
	}
}

/* The copies of one value on each CPU, with their texts. */
struct copies {
	struct ktstr_rendered_value *const *values;
	size_t count;
	struct ktstr_strv texts;
};

static bool all_different_structs(const struct copies *copies)
{
	for (size_t i = 0; i < copies->count; i++) {
		const struct ktstr_rendered_value *value = copies->values[i];

		if (!value || value->kind != KTSTR_RENDERED_STRUCT ||
		    value->members_count != copies->values[0]->members_count)
			return false;
		for (size_t other = 0; other < i; other++)
			if (!strcmp(copies->texts.items[i], copies->texts.items[other]))
				return false;
	}
	return copies->count >= 2;
}

static bool varies(const struct copies *copies, size_t member)
{
	_cleanup_free_ char *first = inline_text(copies->values[0]->members[member].value);

	for (size_t i = 1; i < copies->count; i++) {
		_cleanup_free_ char *text = inline_text(copies->values[i]->members[member].value);

		if (strcmp(first, text))
			return true;
	}
	return false;
}

static void varying_table(struct ktstr_str *out, const struct copies *copies, const bool *varying, int indent)
{
	const struct ktstr_rendered_value *first = copies->values[0];
	struct ktstr_text_table table = { 0 };

	ktstr_table_cell(&table, "per-cpu:");
	for (size_t m = 0; m < first->members_count; m++)
		if (varying[m])
			ktstr_table_cell(&table, first->members[m].name);
	ktstr_table_row(&table);
	for (size_t i = 0; i < copies->count; i++) {
		ktstr_table_cellf(&table, "%zu", i);
		for (size_t m = 0; m < first->members_count; m++) {
			_cleanup_free_ char *text = varying[m] ? inline_text(copies->values[i]->members[m].value) : NULL;

			if (varying[m])
				ktstr_table_cell(&table, text);
		}
		ktstr_table_row(&table);
	}
	ktstr_table_print(&table, out, indent);
}

/* What is the same on all CPUs once, and a table of the few members that are not; false when they are many. */
static bool common_and_varying(struct ktstr_str *out, const struct copies *copies, int indent)
{
	const struct ktstr_rendered_value *first = copies->values[0];
	_cleanup_free_ bool *varying = ktstr_xcalloc(first->members_count + 1, sizeof(*varying));
	size_t count = 0, shown = 0;

	for (size_t m = 0; m < first->members_count; m++) {
		varying[m] = varies(copies, m);
		count += varying[m];
	}
	if (count >= VARYING_MAX)
		return false;
	ktstr_str_add(out, "\n");
	for (size_t m = 0; m < first->members_count; m++) {
		_cleanup_free_ char *text = varying[m] ? NULL : inline_text(first->members[m].value);

		if (varying[m] || ktstr_value_is_zero(first->members[m].value))
			continue;
		if (shown++)
			ktstr_str_add(out, ", ");
		else
			ktstr_str_addf(out, "%*scommon: ", indent, "");
		ktstr_text_guest(out, first->members[m].name);
		ktstr_str_addf(out, "=%s", text);
	}
	ktstr_str_add(out, shown ? "\n" : "");
	varying_table(out, copies, varying, indent);
	return true;
}

/* Groups of CPUs with the same value: scalars in one line behind the key, anything else in a line each. */
static void grouped(struct ktstr_str *out, const struct copies *copies, int indent)
{
	bool scalars = true;
	const char *before = " ";

	for (size_t i = 0; i < copies->count; i++)
		scalars &= !copies->values[i] || ktstr_value_is_scalar(copies->values[i]);
	if (!scalars)
		ktstr_str_add(out, "\n");
	for (size_t i = 0; i < copies->count; i++) {
		struct ktstr_cpus cpus = { 0 };
		_cleanup_free_ char *range = NULL;
		bool seen = false;

		for (size_t other = 0; other < copies->count; other++) {
			if (strcmp(copies->texts.items[i], copies->texts.items[other]))
				continue;
			seen |= other < i;
			ktstr_cpus_add(&cpus, (unsigned int)other);
		}
		if (seen)
			continue;
		range = ktstr_cpus_to_text(&cpus);
		ktstr_str_addf(out, "%*scpu %s: ", scalars ? 0 : indent, scalars ? before : "", range);
		if (scalars)
			ktstr_str_add(out, copies->texts.items[i]);
		else
			value_line(out, copies->values[i], indent);
		before = ", ";
	}
	if (scalars)
		ktstr_str_add(out, "\n");
}

static void per_cpu(struct ktstr_str *out, struct ktstr_rendered_value *const *values, size_t count, int indent)
{
	struct copies copies = { values, count < KTSTR_MAX_CPUS ? count : KTSTR_MAX_CPUS, { 0 } };

	for (size_t i = 0; i < copies.count; i++) {
		_cleanup_free_ char *text = inline_text(values[i]);

		ktstr_strv_add(&copies.texts, text);
	}
	if (!all_different_structs(&copies) || !common_and_varying(out, &copies, indent))
		grouped(out, &copies, indent);
	if (count > copies.count)
		ktstr_str_addf(out, "%*s(%zu more CPUs)\n", indent, "", count - copies.count);
	ktstr_strv_deinit(&copies.texts);
}

/* Neighbours with the same values share their lines, as those of an array do. */
static void percpu_entries(struct ktstr_str *out, const struct ktstr_failure_dump_map *map)
{
	const struct ktstr_failure_dump_percpu_entry *entries = map->percpu_entries;
	_cleanup_free_ char *text = NULL;
	size_t first = 0;

	for (size_t i = 0; i < map->percpu_entries_count; i++) {
		struct ktstr_str next = { 0 };

		per_cpu(&next, entries[i].per_cpu, entries[i].per_cpu_count, 6);
		if (text && strcmp(text, ktstr_str_text(&next))) {
			key_range(out, entries[first].key, entries[i - 1].key);
			ktstr_str_add(out, text);
			first = i;
		}
		free(text);
		text = ktstr_str_take(&next);
	}
	if (text) {
		key_range(out, entries[first].key, entries[map->percpu_entries_count - 1].key);
		ktstr_str_add(out, text);
	}
}

static void percpu_hash_entries(struct ktstr_str *out, const struct ktstr_failure_dump *dump,
				const struct ktstr_failure_dump_map *map)
{
	for (size_t i = 0; i < map->percpu_hash_entries_count; i++) {
		const struct ktstr_failure_dump_percpu_hash_entry *entry = &map->percpu_hash_entries[i];

		ktstr_str_add(out, "    ");
		key_text(out, dump, entry->key, entry->key_hex);
		per_cpu(out, entry->per_cpu, entry->per_cpu_count, 6);
	}
}

static void arena(struct ktstr_str *out, const struct ktstr_arena_snapshot *arena)
{
	ktstr_str_addf(out, "    %zu of %llu pages, from 0x%llx (in the kernel 0x%llx)%s%s\n", arena->pages_count,
		       (unsigned long long)arena->declared_pages, (unsigned long long)arena->user_vm_start,
		       (unsigned long long)arena->kern_vm_start, arena->truncated ? ", not all of them read" : "",
		       arena->span_capped ? ", only its first 4 GiB" : "");
	for (size_t i = 0; i < arena->pages_count; i++)
		ktstr_str_addf(out, "    0x%llx: %.*s...\n", (unsigned long long)arena->pages[i].user_addr,
			       2 * PAGE_BYTES_SHOWN, arena->pages[i].bytes);
}

static void ringbuf(struct ktstr_str *out, const struct ktstr_failure_dump_ringbuf *ring)
{
	ktstr_str_addf(out, "    capacity=%llu, consumer_pos=%llu, producer_pos=%llu, pending_pos=%llu: %llu bytes wait\n",
		       (unsigned long long)ring->capacity, (unsigned long long)ring->consumer_pos,
		       (unsigned long long)ring->producer_pos, (unsigned long long)ring->pending_pos,
		       (unsigned long long)ring->pending_bytes);
}

static void stack_trace(struct ktstr_str *out, const struct ktstr_failure_dump_stack_trace *trace)
{
	ktstr_str_addf(out, "    %zu stacks in %llu buckets%s\n", trace->entries_count,
		       (unsigned long long)trace->n_buckets, trace->truncated ? ", not all of them read" : "");
	for (size_t i = 0; i < trace->entries_count; i++) {
		const struct ktstr_failure_dump_stack_trace_entry *entry = &trace->entries[i];

		ktstr_str_addf(out, "    #%llu:", (unsigned long long)entry->bucket_id);
		for (size_t k = 0; k < entry->pcs_count; k++)
			ktstr_str_addf(out, " 0x%llx", (unsigned long long)entry->pcs[k]);
		if (!entry->pcs_count)
			ktstr_text_guest(out, entry->data_hex);
		ktstr_str_add(out, "\n");
	}
	if (trace->buckets_unreadable)
		ktstr_str_addf(out, "    %llu buckets could not be read\n", (unsigned long long)trace->buckets_unreadable);
}

static void fd_array(struct ktstr_str *out, const struct ktstr_failure_dump_fd_array *array)
{
	ktstr_str_addf(out, "    %llu of %llu slots in use:", (unsigned long long)array->populated,
		       (unsigned long long)array->scanned);
	for (size_t i = 0; i < array->indices_count; i++)
		ktstr_str_addf(out, " %llu", (unsigned long long)array->indices[i]);
	ktstr_str_add(out, array->indices_truncated ? " ...\n" : "\n");
	if (array->truncated)
		ktstr_str_add(out, "    more slots were not looked at\n");
	if (array->unreadable)
		ktstr_str_addf(out, "    %llu slots could not be read\n", (unsigned long long)array->unreadable);
}

void ktstr_map_text(struct ktstr_str *out, const struct ktstr_failure_dump_map *map, const struct ktstr_text_style *style)
{
	ktstr_str_addf(out, "  %s", style->heading);
	ktstr_text_guest(out, map->name);
	ktstr_str_addf(out, "%s (", style->reset);
	ktstr_text_guest(out, map->map_type);
	ktstr_str_addf(out, ", value %llu bytes, max %llu)\n", (unsigned long long)map->value_size,
		       (unsigned long long)map->max_entries);
	if (map->value) {
		ktstr_str_add(out, "    ");
		value_line(out, map->value, 4);
	}
	entries(out, style->dump, map);
	array_entries(out, map);
	percpu_entries(out, map);
	percpu_hash_entries(out, style->dump, map);
	if (map->arena)
		arena(out, map->arena);
	if (map->ringbuf)
		ringbuf(out, map->ringbuf);
	if (map->stack_trace)
		stack_trace(out, map->stack_trace);
	if (map->fd_array)
		fd_array(out, map->fd_array);
	if (map->truncated)
		ktstr_str_add(out, "    (more than was read)\n");
	if (map->error) {
		ktstr_str_addf(out, "    %s", style->error);
		ktstr_text_guest(out, map->error);
		ktstr_str_addf(out, "%s\n", style->reset);
	}
}
