/* How Berkeley SoftFloat is compiled for this core. */
#define LITTLEENDIAN 1
#define INLINE static inline
#define SOFTFLOAT_BUILTIN_CLZ 1 /* NSAU */
#define THREAD_LOCAL /* one thread */
#include "opts-GCC.h"
