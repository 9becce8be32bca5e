// SPDX-License-Identifier: GPL-2.0-only
/* What is wrong with a declared disk, and how it is told to guest and people. */
#include <ctype.h>
#include <string.h>

#include "base/cleanup.h"
#include "disk/disk.h"

const char *ktstr_filesystem_name(enum ktstr_filesystem filesystem)
{
	return filesystem == KTSTR_FILESYSTEM_BTRFS ? "btrfs" : "raw";
}

static struct ktstr_disk_throttle_validation_error check_dimension(enum ktstr_throttle_dimension dimension, uint64_t rate,
								   uint64_t burst)
{
	enum ktstr_disk_throttle_fault fault = !burst ? KTSTR_DISK_THROTTLE_OK :
					       !rate  ? KTSTR_DISK_THROTTLE_BURST_WITHOUT_RATE :
					       burst < rate ? KTSTR_DISK_THROTTLE_BURST_BELOW_RATE :
							      KTSTR_DISK_THROTTLE_OK;

	return (struct ktstr_disk_throttle_validation_error){ fault, dimension, burst, rate };
}

struct ktstr_disk_throttle_validation_error ktstr_disk_throttle_check(const struct ktstr_disk_throttle *throttle)
{
	struct ktstr_disk_throttle_validation_error found =
		check_dimension(KTSTR_THROTTLE_IOPS, throttle->iops, throttle->iops_burst_capacity);

	return found.fault ? found :
			     check_dimension(KTSTR_THROTTLE_BYTES, throttle->bytes_per_sec, throttle->bytes_burst_capacity);
}

struct ktstr_error *ktstr_disk_throttle_validate(const struct ktstr_disk_throttle *throttle)
{
	struct ktstr_disk_throttle_validation_error found = ktstr_disk_throttle_check(throttle);
	bool iops = found.dimension == KTSTR_THROTTLE_IOPS;
	const char *rate = iops ? ".iops" : ".bytes_per_sec";
	const char *burst = iops ? ".iops_burst_capacity" : ".bytes_burst_capacity";

	switch (found.fault) {
	case KTSTR_DISK_THROTTLE_OK:
		break;
	case KTSTR_DISK_THROTTLE_BURST_BELOW_RATE:
		return ktstr_error_new(KTSTR_ERR_INVALID,
				       "%s (%llu) is below %s (%llu): a burst holds at least what the rate gives; raise it, or leave it out",
				       burst, (unsigned long long)found.burst, rate, (unsigned long long)found.rate);
	case KTSTR_DISK_THROTTLE_BURST_WITHOUT_RATE:
		return ktstr_error_new(KTSTR_ERR_INVALID, "%s (%llu) without %s limits nothing: set %s, too", burst,
				       (unsigned long long)found.burst, rate, rate);
	}
	/* QEMU's limits, THROTTLE_VALUE_MAX. */
	if (throttle->iops > KTSTR_DISK_THROTTLE_MAX || throttle->bytes_per_sec > KTSTR_DISK_THROTTLE_MAX ||
	    throttle->iops_burst_capacity > KTSTR_DISK_THROTTLE_MAX || throttle->bytes_burst_capacity > KTSTR_DISK_THROTTLE_MAX)
		return ktstr_error_new(KTSTR_ERR_INVALID, "no limit may be above %llu: QEMU takes no more; 0 is no limit",
				       KTSTR_DISK_THROTTLE_MAX);
	return NULL;
}

/* It becomes a directory, and a word of the kernel's command line. */
static struct ktstr_error *check_name(const char *name)
{
	size_t length = strlen(name);
	bool good = length && length <= KTSTR_DISK_NAME_MAX && *name != '.';

	for (size_t i = 0; i < length; i++)
		good = good && (isalnum((unsigned char)name[i]) || strchr("_.-", name[i]));
	if (good)
		return NULL;
	return ktstr_error_new(KTSTR_ERR_INVALID,
			       ".name \"%s\": give 1 to %u letters, digits, '_', '-' and '.', not with '.' at the front", name,
			       KTSTR_DISK_NAME_MAX);
}

struct ktstr_error *ktstr_disk_config_validate(const struct ktstr_disk_config *disk)
{
	if (disk->filesystem != KTSTR_FILESYSTEM_RAW && disk->filesystem != KTSTR_FILESYSTEM_BTRFS)
		return ktstr_error_new(KTSTR_ERR_INVALID, ".filesystem %d is none: give KTSTR_FILESYSTEM_RAW or _BTRFS",
				       (int)disk->filesystem);
	if (disk->name)
		KTSTR_TRY(check_name(disk->name));
	if (disk->filesystem == KTSTR_FILESYSTEM_BTRFS && disk->capacity_mib && disk->capacity_mib < KTSTR_DISK_BTRFS_MIN_MIB)
		return ktstr_error_new(KTSTR_ERR_INVALID, ".capacity_mib (%u) is too small for btrfs: give at least %u",
				       disk->capacity_mib, KTSTR_DISK_BTRFS_MIN_MIB);
	KTSTR_TRY_WRAP(ktstr_disk_throttle_validate(&disk->throttle), ".throttle");
	return NULL;
}

static unsigned int capacity_mib(const struct ktstr_disk_config *disk)
{
	return disk->capacity_mib ? disk->capacity_mib : KTSTR_DISK_DEFAULT_MIB;
}

uint64_t ktstr_disk_bytes(const struct ktstr_disk_config *disk)
{
	return (uint64_t)capacity_mib(disk) << 20;
}

char *ktstr_disk_kernel_words(const struct ktstr_disk_config *disk)
{
	struct ktstr_str words = { 0 };

	ktstr_str_addf(&words, " " KTSTR_DISK_FS_ENV "=%s", ktstr_filesystem_name(disk->filesystem));
	if (disk->filesystem != KTSTR_FILESYSTEM_RAW && !disk->no_auto_mount)
		ktstr_str_addf(&words, " " KTSTR_DISK_MOUNT_ENV "=/mnt/%s", disk->name ? disk->name : "disk0");
	if (disk->read_only)
		ktstr_str_add(&words, " " KTSTR_DISK_RO_ENV "=1");
	return ktstr_str_take(&words);
}

char *ktstr_disk_describe(const struct ktstr_disk_config *disk)
{
	return ktstr_xasprintf("%s disk of %u MiB%s%s", ktstr_filesystem_name(disk->filesystem), capacity_mib(disk),
			       disk->throttle.iops || disk->throttle.bytes_per_sec ? ", throttled" : "",
			       disk->read_only ? ", read-only" : "");
}

struct ktstr_error *ktstr_disk_parse_size(const char *text, unsigned int *mib)
{
	static const struct {
		const char *unit;
		unsigned int mib;
	} units[] = { { "MiB", 1 }, { "GiB", 1 << 10 }, { "TiB", 1 << 20 } };
	char *unit;
	unsigned long long count = strtoull(text, &unit, 10), whole = 0;

	for (size_t i = 0; isdigit((unsigned char)*text) && i < sizeof(units) / sizeof(units[0]); i++)
		if (!strcmp(unit, units[i].unit) && count <= UINT32_MAX / units[i].mib)
			whole = count * units[i].mib;
	if (!whole)
		return ktstr_error_new(KTSTR_ERR_INVALID, "\"%s\" is no size: give one in MiB, GiB or TiB, such as 256MiB", text);
	*mib = (unsigned int)whole;
	return NULL;
}
