// SPDX-License-Identifier: GPL-2.0-only
/* Where a kernel goes is decided as arch/x86/boot/compressed/kaslr.c does, but below 2 GiB. */
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

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

/* Is there that word, or one that begins so? */
static bool has_word(const char *words, const char *word)
{
	_cleanup_free_ char *list = ktstr_xstrdup(words ? words : "");
	char *save = NULL;

	for (char *at = strtok_r(list, " ", &save); at; at = strtok_r(NULL, " ", &save))
		if (ktstr_str_ends_with(word, "=") ? ktstr_str_starts_with(at, word) : !strcmp(at, word))
			return true;
	return false;
}

/* Less memory than there is, which the kernel's own code would keep to. */
static bool memory_is_limited(const char *words)
{
	return has_word(words, "mem=") || has_word(words, "memmap=");
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

/* Written, not mapped: a store that is full is an error then, no signal. What is zero stays a hole. */
static struct ktstr_error *write_ram(int ram_fd, uint64_t physical, const char *memory, uint64_t bytes)
{
	static const char zeroes[64 << 10];

	for (uint64_t at = 0; at < bytes; at += sizeof(zeroes)) {
		size_t length = bytes - at < sizeof(zeroes) ? (size_t)(bytes - at) : sizeof(zeroes);

		if (!memcmp(memory + at, zeroes, length))
			continue;
		if (lseek(ram_fd, (off_t)(physical + at), SEEK_SET) < 0)
			return ktstr_error_sys(errno, "cannot seek in the guest's RAM");
		KTSTR_TRY(ktstr_write_all(ram_fd, memory + at, length, "the guest's RAM"));
	}
	return NULL;
}

static struct ktstr_error *write_kernel(const struct ktstr_kernel_payload *payload, const struct place *place, int ram_fd,
					uint64_t *entry)
{
	_cleanup_free_ char *memory = ktstr_xcalloc(1, payload->memory_bytes);

	KTSTR_TRY(ktstr_kernel_payload_place(payload, place->shift, memory, entry));
	*entry += place->physical;
	return write_ram(ram_fd, place->physical, memory, payload->memory_bytes);
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

	if (!ktstr_direct_boot_wanted(config) || memory_is_limited(config->extra_kargs))
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
