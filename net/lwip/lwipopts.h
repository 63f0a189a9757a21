/* lwipopts.h: how lwIP is built into Whelk. No operating system below it: one
 * thread owns it (net/net.c), and net/socket*.c talks to its raw interface.
 *
 * Sizes. Every pool is fixed, so that a flood runs into a limit of its own and
 * never into the kernel's heap; a full pool drops a frame or refuses one
 * connection. Only data to be sent (MEM_LIBC_MALLOC) comes from the kernel's
 * heap, bounded by TCP_SND_BUF for each connection. */
#ifndef WHELK_NET_LWIPOPTS_H
#define WHELK_NET_LWIPOPTS_H

#include "base/types.h"

#define NO_SYS 1
#define LWIP_TIMERS 1
#define SYS_LIGHTWEIGHT_PROT 0 /* one thread */
#define LWIP_SOCKET 0
#define LWIP_NETCONN 0
#define LWIP_RAW 1
#define LWIP_ICMP 1
#define LWIP_UDP 1
#define LWIP_TCP 1
#define LWIP_DHCP 1
#define LWIP_DNS 1
#define LWIP_IPV6 0
#define LWIP_ARP 1
#define ETHARP_SUPPORT_STATIC_ENTRIES 0
#define ARP_QUEUEING 1
#define LWIP_ACD 0
#define DHCP_DOES_ARP_CHECK 0 /* a second and more before the first byte: no */
#define LWIP_DHCP_DOES_ACD_CHECK 0
#define LWIP_DHCP_MAX_NTP_SERVERS 0
#define LWIP_BROADCAST_PING 0
#define IP_REASSEMBLY 1
#define IP_FRAG 1
#define IP_SOF_BROADCAST 1
#define IP_SOF_BROADCAST_RECV 0
#define LWIP_HAVE_LOOPIF 1
#define LWIP_NETIF_LOOPBACK 1
#define LWIP_LOOPBACK_MAX_PBUFS 512
#define LWIP_NETIF_STATUS_CALLBACK 1
#define LWIP_NETIF_LINK_CALLBACK 0
#define LWIP_NETIF_HOSTNAME 1
#define LWIP_NETIF_TX_SINGLE_PBUF 0
#define LWIP_SINGLE_NETIF 0
#define ETH_PAD_SIZE 0
#define SO_REUSE 1
#define SO_REUSE_RXTOALL 0

/* TCP: windows of 64 KiB with scaling, so that a slow guest still streams. */
#define TCP_MSS 1460
#define LWIP_WND_SCALE 1
#define TCP_RCV_SCALE 2
#define TCP_WND (128 * 1024)
#define TCP_SND_BUF (128 * 1024)
#define TCP_SND_QUEUELEN 512
#define TCP_SNDLOWAT (16 * 1024)
#define TCP_SNDQUEUELOWAT 64
#define TCP_LISTEN_BACKLOG 1
#define TCP_DEFAULT_LISTEN_BACKLOG 128
#define TCP_OVERSIZE TCP_MSS
#define TCP_QUEUE_OOSEQ 1
#define TCP_OOSEQ_MAX_PBUFS 128
#define LWIP_TCP_TIMESTAMPS 0
#define LWIP_TCP_SACK_OUT 1
#define LWIP_TCP_KEEPALIVE 1
/* A peer that has vanished is given up after some minutes, not twenty. */
#define TCP_MAXRTX 8
#define TCP_SYNMAXRTX 5
/* 2 * MSL = 2 s of TIME_WAIT: the port of a closed connection comes back soon;
 * and tcp_alloc takes the oldest one when none is free. */
#define TCP_MSL 1000UL

#define MEMP_MEM_MALLOC 0
#define MEM_LIBC_MALLOC 1
#define MEM_ALIGNMENT 16
#define MEMP_OVERFLOW_CHECK 0
#define MEMP_SANITY_CHECK 0
#define MEMP_NUM_TCP_PCB 1024
#define MEMP_NUM_TCP_PCB_LISTEN 64
#define MEMP_NUM_UDP_PCB 256
#define MEMP_NUM_RAW_PCB 32
#define MEMP_NUM_TCP_SEG 4096
#define MEMP_NUM_PBUF 2048
#define MEMP_NUM_REASSDATA 16
#define MEMP_NUM_ARP_QUEUE 64
#define MEMP_NUM_SYS_TIMEOUT (LWIP_NUM_SYS_TIMEOUT_INTERNAL + 4)
#define IP_REASS_MAX_PBUFS 64
#define PBUF_POOL_SIZE 2048
#define PBUF_POOL_BUFSIZE 1536
#define ARP_TABLE_SIZE 64

/* Checksums are made and checked in software: the wire is not trusted. */
#define CHECKSUM_GEN_IP 1
#define CHECKSUM_CHECK_IP 1
#define CHECKSUM_CHECK_TCP 1
#define LWIP_CHKSUM_ALGORITHM 3
#define LWIP_CHECKSUM_ON_COPY 1

#define LWIP_STATS 1
#define LWIP_STATS_DISPLAY 0
#define LWIP_STATS_LARGE 1
#define MEMP_STATS 1
#define MEM_STATS 0
#define LWIP_NOASSERT_ON_ERROR 0

void *kmalloc(size_t n);
void *kzalloc(size_t n);
void kfree(void *p);
#define mem_clib_malloc kmalloc
#define mem_clib_free kfree
#define mem_clib_calloc(n, size) kzalloc((size_t)(n) * (size))

#endif
