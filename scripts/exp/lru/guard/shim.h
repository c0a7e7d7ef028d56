#include <stdint.h>
#include <stdbool.h>
#include <string.h>
typedef uint8_t u8; typedef uint32_t u32; typedef int32_t s32; typedef int64_t s64; typedef uint64_t u64;
#define min(a,b) ({ __typeof__(a) _a=(a); __typeof__(b) _b=(b); _a<_b?_a:_b; })
#define max(a,b) ({ __typeof__(a) _a=(a); __typeof__(b) _b=(b); _a>_b?_a:_b; })
#define clamp(v,l,h) min(max(v,l),h)
static inline int fls(unsigned x){ return x?32-__builtin_clz(x):0; }
