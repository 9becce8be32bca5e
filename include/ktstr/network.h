/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Network devices of a test's guest. Each is alone on a wire that gives back, unchanged, whatever the guest sends; no
 * network of the host is part of it. The guest finds them up, without addresses: tests speak AF_PACKET, since frames
 * between addresses of one machine never reach a device.
 */
#ifndef KTSTR_NETWORK_H
#define KTSTR_NETWORK_H

#include <stddef.h>

#include <ktstr/error.h>
#include <ktstr/units.h>

#ifdef __cplusplus
extern "C" {
#endif

#define KTSTR_NET_DEFAULT_MAC	  "02:00:00:00:00:01"
#define KTSTR_NET_MAX_QUEUE_PAIRS 256
#define KTSTR_NETWORKS_MAX	  8 /* PCI slots of the smallest machine are 32, for all devices */

/* A virtio-net device. */
struct ktstr_net_config {
	const char *mac; /* unicast, none twice in a test; NULL = KTSTR_NET_DEFAULT_MAC */
	unsigned int queue_pairs; /* 0 = 1; QEMU has no more for a wire that echoes */
};

struct ktstr_networks {
	const struct ktstr_net_config *items;
	size_t count;
};

/* .networks = KTSTR_NETWORKS({ .mac = "02:00:00:00:00:01" }, { .mac = "02:00:00:00:00:02" }); KTSTR_NETWORKS({ }) is one. */
#define KTSTR_NETWORKS(...)                                                                        \
	{                                                                                          \
		(const struct ktstr_net_config[]){ __VA_ARGS__ },                                  \
			sizeof((const struct ktstr_net_config[]){ __VA_ARGS__ }) /                 \
				sizeof(struct ktstr_net_config)                                    \
	}

/*
 * What a device has carried while the VM of the run lived: tx is what the guest sent, rx what came back to it; bytes are
 * those of frames without checksum. On a healthy device rx_packets = tx_packets - tx_dropped_no_rx_buffer -
 * tx_dropped_rx_poisoned. Unset is not known: rings and the control queue are QEMU's, which does not count such events.
 */
#define KTSTR_VIRTIO_NET_COUNTERS(X)                                                               \
	X(tx_packets)                                                                              \
	X(tx_bytes)                                                                                \
	X(rx_packets)                                                                              \
	X(rx_bytes)                                                                                \
	X(tx_dropped_no_rx_buffer) /* the guest had not taken what came back before */             \
	X(tx_dropped_rx_poisoned)                                                                  \
	X(tx_chain_invalid)                                                                        \
	X(rx_chain_invalid)                                                                        \
	X(tx_oversize_dropped) /* longer than the 64 KiB that QEMU can take back */               \
	X(rx_write_failed) /* it could not be handed to QEMU for another reason */                 \
	X(tx_add_used_failures)                                                                    \
	X(rx_add_used_failures)                                                                    \
	X(invalid_avail_idx_count)                                                                 \
	X(ctrl_mq_set)                                                                             \
	X(ctrl_chain_invalid)                                                                      \
	X(ctrl_add_used_failures)

struct ktstr_virtio_net_counters_snapshot {
#define KTSTR_MEMBER_(name) struct ktstr_opt_u64 name;
	KTSTR_VIRTIO_NET_COUNTERS(KTSTR_MEMBER_)
#undef KTSTR_MEMBER_
};

/*
 * In the guest: the name of the interface with that address, "eth0" as a rule. KTSTR_ERR_NOT_FOUND names what there is.
 */
enum { KTSTR_NET_INTERFACE_BYTES = 16 };
struct ktstr_error *ktstr_net_interface(const char *mac, char name[KTSTR_NET_INTERFACE_BYTES]) KTSTR_CHECKED;

#ifdef __cplusplus
}
#endif
#endif
