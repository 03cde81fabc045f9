/* A plugin for QEMU (API 1, from QEMU 6.0 on) that says which instructions ran between two places.

       gcc -O2 -shared -fPIC -fvisibility=hidden -o libtrace.so trace.c
       qemu-system-arm … -plugin libtrace.so,begin=0xADDRESS,end=0xADDRESS,out=FILE

   From the first instruction at `begin` (included) to the next one at `end` (excluded), the last time
   that this happens. FILE has a line for each address:

       address  size  times  times that another address than the next one followed  disassembly

   prices.py makes cycles of it. The declarations are those of QEMU's qemu-plugin.h, so that no
   header is needed. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))
typedef uint64_t plugin_id;
struct tb;
struct insn;
struct info;
EXPORT int qemu_plugin_version = 1;
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, void (*)(plugin_id, struct tb *));
void qemu_plugin_register_vcpu_insn_exec_cb(struct insn *, void (*)(unsigned, void *), int, void *);
size_t qemu_plugin_tb_n_insns(const struct tb *);
struct insn *qemu_plugin_tb_get_insn(const struct tb *, size_t);
uint64_t qemu_plugin_insn_vaddr(const struct insn *);
size_t qemu_plugin_insn_size(const struct insn *);
char *qemu_plugin_insn_disas(const struct insn *);
void qemu_plugin_register_atexit_cb(plugin_id, void (*)(plugin_id, void *), void *);

struct place {
    uint64_t address, size, times, left;
    char *text;
};

/* Open addressing, by address; the code of a firmware is far smaller. */
enum { PLACES = 1 << 18 };
static struct place *places[PLACES];
static uint64_t begin = 1, end = 1;
static const char *out;
static bool on;
static struct place *last;

static struct place *find(uint64_t address)
{
    size_t at = (address >> 1) % PLACES;
    while (places[at] && places[at]->address != address)
        at = (at + 1) % PLACES;
    if (!places[at]) {
        places[at] = calloc(1, sizeof(struct place));
        places[at]->address = address;
    }
    return places[at];
}

static void ran(unsigned cpu, void *data)
{
    struct place *place = data;
    if (place->address == begin && !on) {
        for (size_t i = 0; i < PLACES; i++)
            if (places[i])
                places[i]->times = places[i]->left = 0;
        on = true;
        last = NULL;
    }
    /* Not `last->size`: QEMU 7.2 says 4 for an instruction of 2 bytes before one that crosses a page. */
    uint64_t step = last ? place->address - last->address : 2;
    if (step != 2 && step != 4)
        last->left++;
    last = NULL;
    if (place->address == end)
        on = false;
    if (on) {
        place->times++;
        last = place;
    }
}

static void translated(plugin_id id, struct tb *tb)
{
    for (size_t i = 0, n = qemu_plugin_tb_n_insns(tb); i < n; i++) {
        struct insn *insn = qemu_plugin_tb_get_insn(tb, i);
        struct place *place = find(qemu_plugin_insn_vaddr(insn));
        free(place->text);
        place->size = qemu_plugin_insn_size(insn);
        place->text = qemu_plugin_insn_disas(insn);
        qemu_plugin_register_vcpu_insn_exec_cb(insn, ran, 0, place);
    }
}

static int by_address(const void *a, const void *b)
{
    uint64_t x = (*(struct place *const *)a)->address, y = (*(struct place *const *)b)->address;
    return (x > y) - (x < y);
}

static void ended(plugin_id id, void *data)
{
    size_t n = 0;
    FILE *file = fopen(out, "w");
    if (!file) {
        perror(out);
        return;
    }
    for (size_t i = 0; i < PLACES; i++)
        if (places[i] && places[i]->times)
            places[n++] = places[i];
    qsort(places, n, sizeof *places, by_address);
    for (size_t i = 0; i < n; i++)
        fprintf(file, "%llx\t%llu\t%llu\t%llu\t%s\n", (unsigned long long)places[i]->address,
                (unsigned long long)places[i]->size, (unsigned long long)places[i]->times,
                (unsigned long long)places[i]->left, places[i]->text);
    fclose(file);
}

EXPORT int qemu_plugin_install(plugin_id id, const struct info *info, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (!strncmp(argv[i], "begin=", 6))
            begin = strtoull(argv[i] + 6, 0, 0) & ~1ull;
        if (!strncmp(argv[i], "end=", 4))
            end = strtoull(argv[i] + 4, 0, 0) & ~1ull;
        if (!strncmp(argv[i], "out=", 4))
            out = strdup(argv[i] + 4);
    }
    if (begin == 1 || end == 1 || !out) {
        fputs("trace: begin=, end= and out= are needed\n", stderr);
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, ended, NULL);
    return 0;
}
