// SPDX-License-Identifier: GPL-2.0-only
/* Builds the initramfs in memory. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "guest/job.h"
#include "vm/bundle.h"
#include "vm/initramfs.h"

KTSTR_DEFINE_CLEANUP(struct ktstr_bundle *, cleanup_bundle, ktstr_bundle_destroy)

/* The "order" file of the modules directory lists file names, dependencies first. */
static struct ktstr_error *add_modules(struct ktstr_bundle *bundle, const char *modules_dir)
{
	_cleanup_free_ char *order_path = ktstr_xasprintf("%s/order", modules_dir);
	_cleanup_free_ char *order = NULL;
	char *save = NULL;
	int index = 0;

	KTSTR_TRY(ktstr_read_file(order_path, &order, NULL));
	for (char *name = strtok_r(order, "\n", &save); name; name = strtok_r(NULL, "\n", &save)) {
		_cleanup_free_ char *host = ktstr_xasprintf("%s/%s", modules_dir, name);
		_cleanup_free_ char *guest = ktstr_xasprintf("/modules/%03d-%s", index++, name);

		KTSTR_TRY(ktstr_bundle_add_file(bundle, guest, host, 0644));
	}
	return NULL;
}

/* What lies below a directory that the agent mounts over would not be seen: it comes with each job. */
static bool is_mounted_over(const char *path)
{
	static const char *const targets[] = { "/tmp/", "/dev/", "/proc/", "/sys/" };

	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
		if (ktstr_str_starts_with(path, targets[i]))
			return true;
	return false;
}

struct ktstr_error *ktstr_guest_base_init(struct ktstr_guest_base *base, char *agent_path,
					  const char *program_path)
{
	_cleanup_strv_ struct ktstr_strv closure = { 0 };
	_cleanup_str_ struct ktstr_str text = { 0 };
	char digest[KTSTR_DIGEST_BYTES];

	*base = (struct ktstr_guest_base){ .agent_path = agent_path };
	KTSTR_TRY(ktstr_elf_closure(program_path, &closure));
	KTSTR_TRY(ktstr_sha256_file(agent_path, digest));
	ktstr_str_addf(&text, "agent %s\n", digest);
	for (size_t i = 0; i < closure.count; i++) {
		if (is_mounted_over(closure.items[i]))
			continue;
		ktstr_strv_add(&base->libraries, closure.items[i]);
		KTSTR_TRY(ktstr_sha256_file(closure.items[i], digest));
		ktstr_str_addf(&text, "%s %s\n", closure.items[i], digest);
	}
	return ktstr_sha256(text.data, text.length, base->digest);
}

void ktstr_guest_base_deinit(struct ktstr_guest_base *base)
{
	free(base->agent_path);
	ktstr_strv_deinit(&base->libraries);
	*base = (struct ktstr_guest_base){ 0 };
}

struct ktstr_error *ktstr_initramfs_build(const struct ktstr_guest_base *base,
					  const struct ktstr_kernel *kernel, int *fd)
{
	_cleanup_(cleanup_bundle) struct ktstr_bundle *bundle = NULL;
	_cleanup_close_ int memfd = -1;
	const void *data;
	size_t length;

	KTSTR_TRY(ktstr_bundle_create(&bundle));
	KTSTR_TRY(ktstr_bundle_add_file(bundle, "/init", base->agent_path, 0755));
	for (size_t i = 0; i < base->libraries.count; i++)
		KTSTR_TRY(ktstr_bundle_add_file(bundle, base->libraries.items[i], base->libraries.items[i], 0755));
	if (kernel->modules_dir)
		KTSTR_TRY_WRAP(add_modules(bundle, kernel->modules_dir), "kernel modules of %s",
			       kernel->version);
	KTSTR_TRY(ktstr_bundle_add_data(bundle, KTSTR_INITRAMFS_SENTINEL, 0644, "", 0));
	KTSTR_TRY(ktstr_bundle_finish(bundle, &data, &length));
	KTSTR_TRY(ktstr_memfd("ktstr-initramfs", 0, &memfd));
	KTSTR_TRY(ktstr_write_all(memfd, data, length, "the initramfs"));
	*fd = ktstr_take_fd(&memfd);
	return NULL;
}
