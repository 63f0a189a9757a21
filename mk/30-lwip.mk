# lwIP, compiled like the kernel but with its own warnings. Its sources appear
# under build/lwip/src by tools/fetch-lwip; the names are listed here, since
# they cannot be globbed before they are fetched.
LWIP     := $(B)/lwip
LWIP_GOT := $(LWIP)/.fetched
LWIP_SRC := $(addprefix core/,def dns inet_chksum init ip mem memp netif pbuf raw stats sys tcp tcp_in tcp_out timeouts udp) \
            $(addprefix core/ipv4/,dhcp etharp icmp ip4 ip4_addr ip4_frag) netif/ethernet
LWIP_OBJ := $(LWIP_SRC:%=$(B)/obj/lwip/%.o)
LWIP_INC := -Inet/lwip -isystem $(LWIP)/src/include
KERNEL_EXTRA += $(LWIP_OBJ)
# The compiler takes what lwIP's headers include for system headers, and notes none.
LWIP_PORT := $(wildcard net/lwip/*.h net/lwip/arch/*.h)

$(LWIP_GOT): tools/fetch-lwip
	@mkdir -p $(LWIP)
	tools/fetch-lwip $(LWIP)
	@touch $@

$(B)/obj/lwip/%.o: $(LWIP_GOT) $(LWIP_PORT)
	@mkdir -p $(@D)
	$(CC) $(FREE) $(LWIP_INC) -w -c $(LWIP)/src/$*.c -o $@

# net/ sees lwIP's headers; nobody else does.
NET_OBJ := $(patsubst %.c,$(B)/obj/%.o,$(wildcard net/*.c))
$(NET_OBJ): FREE += $(LWIP_INC)
$(NET_OBJ): | $(LWIP_GOT)




# test/vm/console.c and its host, which calls through a socket.
console.vmrun: $(B)/vm/test-console.elf
	@rm -f $(B)/vm/console.sock
	@test/vm/console_peer.py $(B)/vm/console.sock & peer=$$!; \
	VM_ARGS="-chardev socket,id=c0,path=$(B)/vm/console.sock,server=on,wait=off \
	    -device virtio-serial-device -device virtserialport,chardev=c0,name=whelk.test" \
	test/vm/run $< max; status=$$?; wait $$peer && exit $$status

# test/vm/net.c: user networking hands out 10.0.2.15. Each transport: over MMIO
# old and modern; over PCI modern, legacy, and without messages.
NET_ARGS := -netdev user,id=n0 -device virtio-net-device,netdev=n0 -device virtio-rng-device
NET_PCI = -netdev user,id=n0 -device virtio-net-pci,netdev=n0,romfile=$1 -device virtio-rng-pci$1
comma := ,
net.vmrun: $(B)/vm/test-net.elf
	@VM_ARGS="$(NET_ARGS)" test/vm/run $< max
	@VM_ARGS="$(NET_ARGS) -global virtio-mmio.force-legacy=false" test/vm/run $< qemu64
	@VM_MACHINE=q35 VM_ARGS="$(call NET_PCI,)" test/vm/run $< max
	@VM_MACHINE=q35,acpi=off VM_ARGS="$(call NET_PCI,$(comma)disable-modern=on)" test/vm/run $< qemu64
	@VM_MACHINE=pc VM_ARGS="$(call NET_PCI,$(comma)vectors=0)" test/vm/run $< max

# Hosted tests of parts that need no kernel below them.
$(B)/asan/unit/virtio_ring: $(B)/asan/dev/vring.o
$(B)/asan/unit/net_link: $(B)/asan/net/link.o $(B)/asan/net/options.o

# Fuzzing: lwIP and net/ as clang builds them, on the kernel of net_host.c.
FUZZ_NET := $(patsubst %.c,$(B)/fuzz/%.o,$(wildcard net/*.c) dev/net.c test/fuzz/net_host.c) $(LWIP_SRC:%=$(B)/fuzz/lwip/%.o)
FUZZ_LWIP_USERS := $(patsubst %.c,$(B)/fuzz/%.o,$(wildcard net/*.c) test/fuzz/fuzz_frames.c)
$(FUZZ_LWIP_USERS): FUZZ_FLAGS += $(LWIP_INC)
$(FUZZ_LWIP_USERS): | $(LWIP_GOT)
$(B)/fuzz/lwip/%.o: $(LWIP_GOT) $(LWIP_PORT)
	@mkdir -p $(@D)
	$(CLANG) $(FUZZ_FLAGS) $(LWIP_INC) -w -fsanitize=fuzzer-no-link -c $(LWIP)/src/$*.c -o $@
$(B)/fuzz/bin/frames: $(FUZZ_NET)
$(B)/fuzz/bin/vring: $(B)/fuzz/dev/vring.o

# test/unit/net_flood.c: all of net/ and lwIP, with sanitizers.
ASAN_NET := $(patsubst %.c,$(B)/asan/%.o,$(wildcard net/*.c) test/unit/net_flood.c)
$(ASAN_NET): HOSTED += $(LWIP_INC)
$(ASAN_NET): | $(LWIP_GOT)
$(B)/asan/lwip/%.o: $(LWIP_GOT) $(LWIP_PORT)
	@mkdir -p $(@D)
	$(CC) $(HOSTED) $(SAN) $(LWIP_INC) -w -c $(LWIP)/src/$*.c -o $@
$(B)/asan/unit/net_flood: $(patsubst %.c,$(B)/asan/%.o,$(wildcard net/*.c) dev/net.c test/fuzz/net_host.c) $(LWIP_SRC:%=$(B)/asan/lwip/%.o)
