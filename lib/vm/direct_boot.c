// SPDX-License-Identifier: GPL-2.0-only
/* Where a kernel goes is decided as arch/x86/boot/compressed/kaslr.c does, but below 2 GiB. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/random.h"
#include "kernel/payload.h"
#include "vm/direct_boot.h"
#include "vm/machine.h"
#include "vm/vm.h"

#define KERNEL_IMAGE_SIZE (UINT64_C(1) << 30) /* virtual addresses that the kernel has for itself, with KASLR */
#define FIRMWARE_BYTES	  (UINT64_C(8) << 20) /* below the end of low RAM: its tables, and then some */

extern const char ktstr_boot_stub[], ktstr_boot_stub_end[];

/* At offset 8 of the stub. */
struct parameters {
	uint64_t entry; /* physical */
	uint32_t five_levels; /* if the CPU has them */
	uint32_t randomized;
};

static const size_t parameters_at = 8;

struct place {
	uint64_t physical;
	uint64_t shift; /* virtual */
};

bool ktstr_direct_boot_wanted(const struct ktstr_vm_config *config)
{
	return config->accel->accel == KTSTR_ACCEL_TCG;
}

static bool has_word(const char *words, const char *word)
{
	_cleanup_free_ char *list = ktstr_xstrdup(words ? words : "");
	char *save = NULL;

	for (char *at = strtok_r(list, " ", &save); at; at = strtok_r(NULL, " ", &save))
		if (!strcmp(at, word))
			return true;
	return false;
}

/* A deterministic machine is the same whenever it is made. */
static struct ktstr_random random_of(const struct ktstr_vm_config *config)
{
	uint64_t seed = 0;

	if (!config->deterministic && getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		seed = ktstr_now_ns();
	return ktstr_random_seeded(seed);
}

/* One of the addresses from first on, align apart, at which so many bytes end before the limit. */
static uint64_t choose(struct ktstr_random *random, uint64_t first, uint64_t limit, uint64_t bytes, uint64_t align)
{
	return first + ktstr_random_next(random) % (1 + (limit - bytes - first) / align) * align;
}

/* False: there is no room. */
static bool choose_place(const struct ktstr_vm_config *config, const struct ktstr_kernel_payload *payload,
			 uint64_t initramfs_bytes, struct place *place)
{
	uint64_t ram = ktstr_machine_memory_mib(config->topology, config->memory_mib) << 20;
	uint64_t first = payload->load_address, bytes = payload->memory_bytes, limit;
	struct ktstr_random random = random_of(config);
	struct ktstr_ram_region regions[2];

	ktstr_machine_ram_regions(ram, regions);
	if (regions[0].bytes < first + bytes + initramfs_bytes + FIRMWARE_BYTES)
		return false;
	limit = regions[0].bytes - initramfs_bytes - FIRMWARE_BYTES;
	*place = (struct place){ .physical = first };
	if (has_word(config->extra_kargs, "nokaslr"))
		return true;
	place->physical = choose(&random, first, limit, bytes, payload->align);
	place->shift = choose(&random, first, KERNEL_IMAGE_SIZE, bytes, payload->align) - first;
	return true;
}

static struct ktstr_error *write_kernel(const struct ktstr_kernel_payload *payload, const struct place *place, int ram_fd,
					uint64_t *entry)
{
	void *memory = mmap(NULL, payload->memory_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, ram_fd, (off_t)place->physical);
	struct ktstr_error *error;

	if (memory == MAP_FAILED)
		return ktstr_error_sys(errno, "cannot map the guest's RAM");
	error = ktstr_kernel_payload_place(payload, place->shift, memory, entry);
	munmap(memory, payload->memory_bytes);
	*entry += place->physical;
	return error;
}

static struct ktstr_error *write_image(const struct ktstr_kernel_payload *payload, const struct parameters *parameters,
				       int *image_fd)
{
	size_t stub_length = (size_t)(ktstr_boot_stub_end - ktstr_boot_stub);
	_cleanup_free_ char *stub = ktstr_xcalloc(1, stub_length);
	_cleanup_close_ int fd = -1;

	memcpy(stub, ktstr_boot_stub, stub_length);
	memcpy(stub + parameters_at, parameters, sizeof(*parameters));
	KTSTR_TRY(ktstr_memfd("ktstr-kernel", 0, &fd));
	KTSTR_TRY(ktstr_write_all(fd, payload->setup, payload->setup_length, "the boot image"));
	KTSTR_TRY(ktstr_write_all(fd, stub, stub_length, "the boot image"));
	*image_fd = ktstr_take_fd(&fd);
	return NULL;
}

struct ktstr_error *ktstr_direct_boot(const struct ktstr_vm_config *config, int ram_fd, uint64_t initramfs_bytes,
				      int *image_fd)
{
	_cleanup_(ktstr_kernel_payload_deinit) struct ktstr_kernel_payload payload = { 0 };
	struct parameters parameters = { 0 };
	_cleanup_error_ struct ktstr_error *unusual = NULL;
	struct place place;

	if (!ktstr_direct_boot_wanted(config))
		return NULL;
	/* What we cannot unpack its own code may, or says in its words what is wrong. */
	unusual = ktstr_kernel_payload_open(config->kernel, &payload);
	if (unusual || !choose_place(config, &payload, initramfs_bytes, &place))
		return NULL;
	KTSTR_TRY(write_kernel(&payload, &place, ram_fd, &parameters.entry));
	parameters.five_levels = payload.five_levels && !has_word(config->extra_kargs, "no5lvl");
	parameters.randomized = !has_word(config->extra_kargs, "nokaslr");
	return write_image(&payload, &parameters, image_fd);
}
