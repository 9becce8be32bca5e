// SPDX-License-Identifier: GPL-2.0-only
/* Reads what lib/guest/describe.c wrote of a scheduler. */
#include <stddef.h>

#include "sched/info.h"

static const struct {
	const char *key;
	size_t offset;
} texts[] = {
	{ "name", offsetof(struct ktstr_sched_info, name) },
	{ "binary", offsetof(struct ktstr_sched_info, binary) },
	{ "cgroup_parent", offsetof(struct ktstr_sched_info, cgroup_parent) },
	{ "config_path", offsetof(struct ktstr_sched_info, config_path) },
	{ "config_text", offsetof(struct ktstr_sched_info, config_text) },
}, lists[] = {
	{ "args", offsetof(struct ktstr_sched_info, args) },
	{ "kargs", offsetof(struct ktstr_sched_info, kargs) },
	{ "sysctls", offsetof(struct ktstr_sched_info, sysctls) },
	{ "enable", offsetof(struct ktstr_sched_info, enable) },
	{ "disable", offsetof(struct ktstr_sched_info, disable) },
	{ "includes", offsetof(struct ktstr_sched_info, includes) },
	{ "kernels", offsetof(struct ktstr_sched_info, kernels) },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char **text_of(struct ktstr_sched_info *info, size_t i)
{
	return (char **)((char *)info + texts[i].offset);
}

static struct ktstr_strv *list_of(struct ktstr_sched_info *info, size_t i)
{
	return (struct ktstr_strv *)((char *)info + lists[i].offset);
}

struct ktstr_error *ktstr_sched_info_read(const json_t *json, struct ktstr_sched_info *info)
{
	const json_t *item;
	size_t index;

	*info = (struct ktstr_sched_info){ 0 };
	for (size_t i = 0; i < COUNT(texts); i++) {
		const char *text = json_string_value(json_object_get(json, texts[i].key));

		*text_of(info, i) = text ? ktstr_xstrdup(text) : NULL;
	}
	for (size_t i = 0; i < COUNT(lists); i++) {
		json_array_foreach(json_object_get(json, lists[i].key), index, item)
			if (json_is_string(item))
				ktstr_strv_add(list_of(info, i), json_string_value(item));
	}
	return info->name ? NULL : ktstr_error_new(KTSTR_ERR_CORRUPT, "a scheduler without a name");
}

void ktstr_sched_info_deinit(struct ktstr_sched_info *info)
{
	for (size_t i = 0; i < COUNT(texts); i++)
		free(*text_of(info, i));
	for (size_t i = 0; i < COUNT(lists); i++)
		ktstr_strv_deinit(list_of(info, i));
	*info = (struct ktstr_sched_info){ 0 };
}
