// SPDX-License-Identifier: GPL-2.0-only
/* A host's facts for people, and what differs between two hosts. */
#include <string.h>

#include "base/str.h"
#include "host/host.h"

enum { MAPS = sizeof(ktstr_host_maps) / sizeof(ktstr_host_maps[0]) };

static char *field_text(const struct ktstr_member *field, const void *object)
{
	struct ktstr_str text = { 0 };

	if (field->type == KTSTR_MEMBER_TEXT) {
		const char *value = *(char *const *)((const char *)object + field->offset);

		ktstr_str_add(&text, value ? value : "(unknown)");
	} else if (ktstr_member_is_set(field, object)) {
		ktstr_member_format(field, object, &text);
	} else {
		ktstr_str_add(&text, "(unknown)");
	}
	return ktstr_str_take(&text);
}

static void format_fields(struct ktstr_str *out, const char *prefix, const struct ktstr_member *fields, size_t count,
			  const void *object)
{
	for (size_t i = 0; i < count; i++) {
		_cleanup_free_ char *text = field_text(&fields[i], object);

		ktstr_str_addf(out, "%s%s: %s\n", prefix, fields[i].name, text);
	}
}

char *ktstr_host_context_format(const struct ktstr_host_context *context)
{
	struct ktstr_str out = { 0 };

	format_fields(&out, "", ktstr_host_fields, ktstr_host_fields_count, context);
	for (size_t i = 0; i < MAPS; i++) {
		const struct ktstr_text_map *map = ktstr_host_map(&ktstr_host_maps[i], context);

		ktstr_str_addf(&out, "%s:%s\n", ktstr_host_maps[i].name,
			       !map->known ? " (unknown)" : !map->count ? " (empty)" : "");
		for (size_t k = 0; k < map->count; k++)
			ktstr_str_addf(&out, "  %s: %s\n", map->items[k].name, map->items[k].value);
	}
	ktstr_str_add(&out, "heap_state:\n");
	format_fields(&out, "  ", ktstr_host_heap_fields, ktstr_host_heap_fields_count, &context->heap_state);
	return ktstr_str_take(&out);
}

static void add_difference(struct ktstr_str *out, const char *name, const char *key, const char *a, const char *b)
{
	if (strcmp(a, b))
		ktstr_str_addf(out, "  %s%s%s: %s → %s\n", name, key ? "." : "", key ? key : "", a, b);
}

static const char *side(const struct ktstr_text_map *map, const char *name)
{
	const char *value = ktstr_text_map_get(map, name);

	return value ? value : "(absent)";
}

static const char *map_word(const struct ktstr_text_map *map)
{
	return !map->known ? "(unknown)" : !map->count ? "(empty)" : "(known)";
}

static void diff_maps(struct ktstr_str *out, const char *name, const struct ktstr_text_map *a,
		      const struct ktstr_text_map *b)
{
	if (!a->known || !b->known) {
		add_difference(out, name, NULL, map_word(a), map_word(b));
		return;
	}
	for (size_t i = 0; i < a->count; i++)
		add_difference(out, name, a->items[i].name, a->items[i].value, side(b, a->items[i].name));
	for (size_t i = 0; i < b->count; i++)
		if (!ktstr_text_map_get(a, b->items[i].name))
			add_difference(out, name, b->items[i].name, "(absent)", b->items[i].value);
}

char *ktstr_host_context_diff(const struct ktstr_host_context *a, const struct ktstr_host_context *b)
{
	struct ktstr_str out = { 0 };

	for (size_t i = 0; i < ktstr_host_fields_count; i++) {
		_cleanup_free_ char *left = field_text(&ktstr_host_fields[i], a);
		_cleanup_free_ char *right = field_text(&ktstr_host_fields[i], b);

		add_difference(&out, ktstr_host_fields[i].name, NULL, left, right);
	}
	for (size_t i = 0; i < MAPS; i++)
		diff_maps(&out, ktstr_host_maps[i].name, ktstr_host_map(&ktstr_host_maps[i], a),
			  ktstr_host_map(&ktstr_host_maps[i], b));
	return ktstr_str_take(&out);
}
