// SPDX-License-Identifier: GPL-2.0-only
/* struct ktstr_kernel itself, the names of flavours, and look-ups in a kernel's config file. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "kernel/internal.h"
#include "kernel/kernel.h"

/* Suffixes of Debian's package names: linux-image-<ver>-<flavour>-amd64, plain amd64 for the
 * second. */
static const char *const flavours[] = { "cloud", "amd64", "rt" };

void ktstr_kernel_deinit(struct ktstr_kernel *kernel)
{
	free(kernel->release);
	free(kernel->version);
	free(kernel->image_path);
	free(kernel->vmlinux_path);
	free(kernel->config_path);
	free(kernel->modules_dir);
	free(kernel->source);
	free(kernel->image_sha256);
	*kernel = (struct ktstr_kernel){ 0 };
}

void ktstr_progress_report(const struct ktstr_progress *progress, const char *what, uint64_t done,
			   uint64_t total)
{
	if (progress && progress->report)
		progress->report(progress->context, what, done, total);
}

const char *ktstr_flavour(const char *name)
{
	for (size_t i = 0; i < sizeof(flavours) / sizeof(flavours[0]); i++)
		if (!strcmp(name, flavours[i]))
			return flavours[i];
	return NULL;
}

void ktstr_spec_split(const char *spec, char **base, const char **flavour)
{
	const char *dash = strrchr(spec, '-');
	const char *suffix = dash ? ktstr_flavour(dash + 1) : NULL;

	*flavour = suffix ? suffix : KTSTR_KERNEL_DEFAULT_FLAVOUR;
	*base = ktstr_xstrndup(spec, suffix ? (size_t)(dash - spec) : strlen(spec));
}

char *ktstr_kernel_config_value(const struct ktstr_kernel *kernel, const char *option)
{
	_cleanup_free_ char *text = NULL, *prefix = NULL;
	_cleanup_error_ struct ktstr_error *error = NULL;
	char *saved = NULL;

	if (!kernel->config_path)
		return NULL;
	error = ktstr_read_file(kernel->config_path, &text, NULL);
	if (error)
		return NULL;
	if (ktstr_str_starts_with(option, "CONFIG_"))
		option += strlen("CONFIG_");
	prefix = ktstr_xasprintf("CONFIG_%s=", option);
	for (char *line = strtok_r(text, "\n", &saved); line; line = strtok_r(NULL, "\n", &saved)) {
		char *value = line + strlen(prefix);
		size_t length;

		if (!ktstr_str_starts_with(line, prefix))
			continue;
		length = strlen(value);
		if (length >= 2 && value[0] == '"' && value[length - 1] == '"')
			return ktstr_xstrndup(value + 1, length - 2);
		return ktstr_xstrdup(value);
	}
	return NULL;
}
