/* What every measured program has in common: start-up, observations, and the report.

   A program defines cost_init, which does what its user does once, and cost_act, which makes one
   action of one observation. Reported by semihosting, a line each with its numbers in
   hexadecimal:

       action INDEX BITS     the action's bits for an observation
       stack-init BYTES      what cost_init took of the stack, below its caller
       stack-act BYTES       what cost_act took at most
       done

   The last observation's action is made once more between cost_begin and cost_end: the plugin counts
   what runs between these two. */
#include <stdint.h>

#include "observations.h" /* INPUTS, OBSERVATIONS, observations: written for each network */

void cost_init(void);
void cost_act(const float *observation, float *action);

extern uint32_t stack_top, data_start, data_end, bss_start, bss_end;
extern const uint32_t data_load;
extern void (*const constructors_start[])(void), (*const constructors_end[])(void);

/* What an untouched word of the stack holds, and an action that was not written (a NaN). */
enum { PAINT = 0x7fc0babe };
/* Bytes of the stack that are painted: more than any of the programs takes. */
enum { PAINTED = 256 * 1024 };

static uint32_t semihosting(uint32_t operation, const void *argument)
{
    register uint32_t r0 __asm("r0") = operation;
    register const void *r1 __asm("r1") = argument;
    __asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

static void print(const char *text)
{
    semihosting(0x04, text); /* SYS_WRITE0 */
}

/* In hexadecimal, because a division would share the compiler's library with the measured program. */
static void print_number(uint32_t number)
{
    char text[9], *at = text + 8;
    *at = 0;
    do
        *--at = "0123456789abcdef"[number & 15];
    while (number >>= 4);
    print(at);
}

static void leave(void)
{
    semihosting(0x18, (const void *)0x20026); /* SYS_EXIT, ADP_Stopped_ApplicationExit */
    for (;;)
        ;
}

__attribute__((noinline)) void cost_begin(void) { __asm volatile("" ::"r"(1)); }
__attribute__((noinline)) void cost_end(void) { __asm volatile("" ::"r"(2)); }

#define STACK_POINTER()                                    \
    ({                                                     \
        volatile uint32_t *pointer;                        \
        __asm volatile("mov %0, sp" : "=r"(pointer));      \
        pointer;                                           \
    })

/* Bytes below the stack pointer that `call` writes to. A macro, and not a function, so that it starts
   exactly at the caller's stack pointer; a word that is written with PAINT itself is not seen. */
#define STACK_OF(call)                                                                        \
    ({                                                                                        \
        volatile uint32_t *const from = STACK_POINTER(), *lowest = from - PAINTED / 4;        \
        for (volatile uint32_t *word = lowest; word < from; word++)                           \
            *word = PAINT;                                                                    \
        call;                                                                                 \
        while (lowest < from && *lowest == PAINT)                                             \
            lowest++;                                                                         \
        (uint32_t)(from - lowest) * 4;                                                        \
    })

static union {
    uint32_t bits;
    float value;
} actions[OBSERVATIONS];

__attribute__((noinline)) static void measure(void)
{
    const uint32_t init = STACK_OF(cost_init());
    uint32_t act = 0;
    for (uint32_t i = 0; i < OBSERVATIONS; i++) {
        actions[i].bits = PAINT;
        const uint32_t bytes = STACK_OF(cost_act(observations[i], &actions[i].value));
        act = bytes > act ? bytes : act;
    }
    cost_begin();
    cost_act(observations[OBSERVATIONS - 1], &actions[OBSERVATIONS - 1].value);
    cost_end();

    for (uint32_t i = 0; i < OBSERVATIONS; i++) {
        print("action ");
        print_number(i);
        print(" ");
        print_number(actions[i].bits);
        print("\n");
    }
    print("stack-init ");
    print_number(init);
    print("\nstack-act ");
    print_number(act);
    print("\ndone\n");
}

static void fault(void)
{
    print("fault\n");
    leave();
}

void reset(void)
{
#ifdef __ARM_FP
    *(volatile uint32_t *)0xe000ed88 |= 0xf << 20; /* CPACR: the FPU may be used */
    __asm volatile("dsb\n isb");
#endif
    const uint32_t *from = &data_load;
    /* volatile: the compiler shall not make memcpy and memset of these, which the measured program
       would then share. */
    for (volatile uint32_t *to = &data_start; to < &data_end;)
        *to++ = *from++;
    for (volatile uint32_t *to = &bss_start; to < &bss_end;)
        *to++ = 0;
    for (void (*const *call)(void) = constructors_start; call < constructors_end; call++)
        (*call)();
    measure();
    leave();
}

__attribute__((section(".vectors"), used)) static const void *const vectors[16] = {
    &stack_top, reset, fault, fault, fault, fault, fault, 0, 0, 0, 0, fault, fault, 0, fault, fault,
};
