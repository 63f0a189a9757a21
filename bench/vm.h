/* vm.h: the benchmark inside a VM (bench/vm). */
#ifndef WHELK_BENCH_VM_H
#define WHELK_BENCH_VM_H

/* Measures, prints a table, adds to bench.json; an exit status. */
int bench_vm(void);

#endif
