// SPDX-License-Identifier: GPL-2.0-only
/* Builds the initramfs in memory. */

#include "base/cleanup.h"
#include "base/file.h"
#include "guest/job.h"
#include "vm/bundle.h"
#include "vm/initramfs.h"
#include "vm/vm.h"

KTSTR_DEFINE_CLEANUP(struct ktstr_bundle *, cleanup_bundle, ktstr_bundle_destroy)

/* One that is not needed is not there: loading btrfs takes an emulated guest a quarter of its boot. */
void ktstr_machine_modules(const struct ktstr_vm_config *config, const char *names[KTSTR_MACHINE_MODULES_MAX + 1])
{
	size_t count = 0;

	if (config->disk)
		names[count++] = "virtio_blk";
	if (config->disk && config->disk->filesystem == KTSTR_FILESYSTEM_BTRFS)
		names[count++] = "btrfs";
	if (config->networks.count)
		names[count++] = "virtio_net";
	names[count] = NULL;
}

static struct ktstr_error *add_modules(struct ktstr_bundle *bundle, const struct ktstr_vm_config *config)
{
	const char *wanted[KTSTR_MACHINE_MODULES_MAX + 1], *dir = config->kernel->modules_dir;
	_cleanup_strv_ struct ktstr_strv files = { 0 };

	ktstr_machine_modules(config, wanted);
	if (!dir)
		return NULL;
	KTSTR_TRY(ktstr_modules_order(dir, wanted, &files));
	for (size_t i = 0; i < files.count; i++) {
		_cleanup_free_ char *host = ktstr_xasprintf("%s/%s", dir, files.items[i]);
		_cleanup_free_ char *guest = ktstr_xasprintf("/modules/%03zu-%s", i, files.items[i]);

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

struct ktstr_error *ktstr_initramfs_build(const struct ktstr_vm_config *config, int *fd)
{
	const struct ktstr_guest_base *base = config->base;
	_cleanup_(cleanup_bundle) struct ktstr_bundle *bundle = NULL;
	_cleanup_close_ int memfd = -1;
	const void *data;
	size_t length;

	KTSTR_TRY(ktstr_bundle_create(&bundle));
	KTSTR_TRY(ktstr_bundle_add_file(bundle, "/init", base->agent_path, 0755));
	for (size_t i = 0; i < base->libraries.count; i++)
		KTSTR_TRY(ktstr_bundle_add_file(bundle, base->libraries.items[i], base->libraries.items[i], 0755));
	KTSTR_TRY_WRAP(add_modules(bundle, config), "kernel modules of %s", config->kernel->version);
	KTSTR_TRY(ktstr_bundle_add_data(bundle, KTSTR_INITRAMFS_SENTINEL, 0644, "", 0));
	KTSTR_TRY(ktstr_bundle_finish(bundle, &data, &length));
	KTSTR_TRY(ktstr_memfd("ktstr-initramfs", 0, &memfd));
	KTSTR_TRY(ktstr_write_all(memfd, data, length, "the initramfs"));
	*fd = ktstr_take_fd(&memfd);
	return NULL;
}
