// SPDX-License-Identifier: GPL-2.0-only
/* Filters on kernels, as declarations name those that they are for. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "kernel/kernel.h"

enum filter_kind { FILTER_VERSION, FILTER_RANGE, FILTER_PATH };

struct filter {
	enum filter_kind kind;
	char *first, *last; /* of a range; first alone for the others */
};

static void filter_deinit(struct filter *filter)
{
	free(filter->first);
	free(filter->last);
}

static struct ktstr_error *parse(const char *text, struct filter *filter)
{
	const char *dots = strstr(text, ".."), *last;

	*filter = (struct filter){ .kind = FILTER_PATH };
	if (ktstr_str_starts_with(text, "git+"))
		return ktstr_error_new(KTSTR_ERR_UNSUPPORTED,
				       "kernel filter %s: ktstr builds no kernels from git; name a version, a range or a path", text);
	if (strchr(text, '/') || *text == '.' || *text == '~') {
		filter->first = ktstr_xstrdup(text);
		return NULL;
	}
	filter->kind = dots ? FILTER_RANGE : FILTER_VERSION;
	filter->first = dots ? ktstr_xstrndup(text, (size_t)(dots - text)) : ktstr_xstrdup(text);
	last = dots ? dots + 2 + (dots[2] == '=') : text;
	filter->last = ktstr_xstrdup(last);
	if (!isdigit((unsigned char)*filter->first) || !isdigit((unsigned char)*last))
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "kernel filter \"%s\": write a version 6.16, a range 6.12..6.16, or a path with a '/'", text);
	if (dots && ktstr_version_compare(filter->first, filter->last) > 0)
		return ktstr_error_new(KTSTR_ERR_INVALID, "kernel filter %s: %s is newer than %s", text, filter->first,
				       filter->last);
	return NULL;
}

/* The path is the kernel's image, or a directory around it. */
static bool is_path_of(const char *path, const struct ktstr_kernel *kernel)
{
	_cleanup_free_ char *absolute = realpath(path, NULL);
	_cleanup_free_ char *image = realpath(kernel->image_path, NULL);
	size_t length = absolute ? strlen(absolute) : 0;

	return absolute && image && ktstr_str_starts_with(image, absolute) && (!image[length] || image[length] == '/');
}

struct ktstr_error *ktstr_kernel_filter_check(const char *text)
{
	_cleanup_(filter_deinit) struct filter filter;

	return parse(text, &filter);
}

bool ktstr_kernel_filter_matches(const char *text, const struct ktstr_kernel *kernel)
{
	_cleanup_(filter_deinit) struct filter filter;
	_cleanup_error_ struct ktstr_error *error = parse(text, &filter);

	if (error)
		return false;
	if (filter.kind == FILTER_PATH)
		return is_path_of(filter.first, kernel);
	if (filter.kind == FILTER_VERSION)
		return ktstr_version_in_series(kernel->version, filter.first);
	return ktstr_version_compare(kernel->version, filter.first) >= 0 &&
	       (ktstr_version_compare(kernel->version, filter.last) <= 0 ||
		ktstr_version_in_series(kernel->version, filter.last));
}
