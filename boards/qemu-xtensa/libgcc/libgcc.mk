# What the compiler expects of its library, built for this core: integers here, floats by Berkeley SoftFloat.
LIBGCC_DIR = $(BOARD_DIR)/libgcc
SOFTFLOAT_DIR = $(XTENSA_TREE)/tests/fp/berkeley-softfloat-3/source

# What float.c calls, and what that calls in turn.
SOFTFLOAT = f32_add f32_sub f32_mul f32_div f32_eq f32_lt_quiet f32_to_f64 f64_to_f32
SOFTFLOAT += i32_to_f32 ui32_to_f32 i32_to_f64 f32_to_i32_r_minMag f32_to_ui32_r_minMag
SOFTFLOAT += s_addMagsF32 s_subMagsF32 s_roundPackToF32 s_normRoundPackToF32 s_normSubnormalF32Sig
SOFTFLOAT += s_approxRecip32_1 s_approxRecip_1Ks s_countLeadingZeros8 s_countLeadingZeros32
SOFTFLOAT += s_shiftRightJam64 s_shortShiftRightJam64 softfloat_state
# What is not a number, as processors with SSE have it.
SOFTFLOAT_NAN = softfloat_raiseFlags s_propagateNaNF32UI
SOFTFLOAT_NAN += s_f32UIToCommonNaN s_commonNaNToF32UI s_f64UIToCommonNaN s_commonNaNToF64UI

SOFTFLOAT_FLAGS = -I$(LIBGCC_DIR)/softfloat -I$(SOFTFLOAT_DIR)/include -I$(SOFTFLOAT_DIR)/8086-SSE
SOFTFLOAT_FLAGS += -DSOFTFLOAT_ROUND_ODD -DINLINE_LEVEL=5 -DSOFTFLOAT_FAST_INT64
# Quotients of 64 by 16 bits; those of 64 by 32 would call the 64-bit division.
SOFTFLOAT_FLAGS += -DSOFTFLOAT_FAST_DIV32TO16

OBJ += $(addprefix $(BUILD)/libgcc/, float.o integer.o divide.o)
OBJ += $(addprefix $(BUILD)/softfloat/, $(SOFTFLOAT:=.o) $(SOFTFLOAT_NAN:=.o))

$(BUILD)/libgcc/%.o: $(LIBGCC_DIR)/%.S
	$(Q)mkdir -p $(dir $@)
	$(Q)$(CC) -mabi=windowed -c -o $@ $<

# MP_CONFIGFILE brings MicroPython's headers, which these have no use for.
LIBGCC_CFLAGS = $(filter-out -DMP_CONFIGFILE%,$(CFLAGS)) $(SOFTFLOAT_FLAGS)
$(BUILD)/libgcc/%.o: $(LIBGCC_DIR)/%.c
	$(Q)mkdir -p $(dir $@)
	$(Q)$(CC) $(LIBGCC_CFLAGS) -c -o $@ $<

vpath %.c $(SOFTFLOAT_DIR) $(SOFTFLOAT_DIR)/8086-SSE
$(BUILD)/softfloat/%.o: %.c
	$(Q)mkdir -p $(dir $@)
	$(Q)$(CC) $(LIBGCC_CFLAGS) -w -c -o $@ $<
