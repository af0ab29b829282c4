package graft;

/** Element types of tensors. */
public enum DType {
  /** 32-bit floating point. */
  FLOAT32(1),
  /** The upper half of a FLOAT32. */
  BFLOAT16(2),
  /** 16-bit floating point of IEEE 754. */
  FLOAT16(3),
  /** Signed bytes. */
  INT8(4),
  /** Two to a byte, the earlier one in the low half. */
  INT4(5),
  /** Signed 32-bit. */
  INT32(6),
  /** Signed 64-bit. */
  INT64(7),
  /** Unsigned bytes. */
  UINT8(8),
  /** One byte each, 0 or 1. */
  BOOLEAN(9),
  /** 64-bit floating point. */
  FLOAT64(10),
  /** One that this binding does not know yet. */
  UNKNOWN(Integer.MIN_VALUE);

  final int code;

  DType(int code) {
    this.code = code;
  }

  private static final DType[] ALL = values();

  static DType of(long code) {
    for (DType one : ALL) {
      if (one.code == code) return one;
    }
    return UNKNOWN;
  }
}
