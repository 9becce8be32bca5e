// SPDX-License-Identifier: GPL-2.0-only
/* Interfaces of this machine by their address. */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "net/config.h"

static bool has_address(const char *name, const unsigned char wanted[KTSTR_MAC_BYTES])
{
	_cleanup_free_ char *path = ktstr_xasprintf("/sys/class/net/%s/address", name);
	_cleanup_free_ char *text = ktstr_read_line(path);
	char address[KTSTR_MAC_TEXT_BYTES];

	ktstr_mac_format(wanted, address);
	return text && !strcmp(text, address);
}

struct ktstr_error *ktstr_net_interface(const char *mac, char name[KTSTR_NET_INTERFACE_BYTES])
{
	_cleanup_str_ struct ktstr_str seen = { 0 };
	unsigned char wanted[KTSTR_MAC_BYTES];
	struct if_nameindex *all;
	bool found = false;

	KTSTR_TRY(ktstr_mac_parse(mac, wanted));
	all = if_nameindex();
	if (!all)
		return ktstr_error_sys(errno, "cannot list network interfaces");
	for (struct if_nameindex *one = all; one->if_index && !found; one++) {
		found = has_address(one->if_name, wanted);
		if (found)
			snprintf(name, KTSTR_NET_INTERFACE_BYTES, "%s", one->if_name);
		ktstr_str_addf(&seen, "%s%s", seen.length ? ", " : "", one->if_name);
	}
	if_freenameindex(all);
	return found ? NULL :
		       ktstr_error_new(KTSTR_ERR_NOT_FOUND,
				       "no interface has the address %s; there are: %s (a device needs .networks in the test, and virtio_net in the kernel or among its modules)",
				       mac ? mac : KTSTR_NET_DEFAULT_MAC, seen.length ? seen.data : "none");
}
