package graft;

/** How weight files are read. */
public enum Weights {
  /** Mapped; a file that is shortened meanwhile can end the process. */
  MAP(0),
  /** Copied into memory; safe whatever happens to the file. */
  READ(1);

  final int code;

  Weights(int code) {
    this.code = code;
  }
}
