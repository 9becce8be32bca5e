// SPDX-License-Identifier: GPL-2.0-only
/* Brings interfaces up. */
#include <sys/ioctl.h>

#include "net/link.h"

bool ktstr_link_up(int fd, struct ifreq *request)
{
	if (ioctl(fd, SIOCGIFFLAGS, request))
		return false;
	if (request->ifr_flags & IFF_UP)
		return true;
	request->ifr_flags |= IFF_UP;
	return !ioctl(fd, SIOCSIFFLAGS, request);
}
