package graft;

/** How an embedding is made of the hidden rows. */
public enum Pooling {
  /** As the model's files say. */
  MODEL(0),
  /** The mean of the rows. */
  MEAN(1),
  /** The first row. */
  CLS(2),
  /** The last row. */
  LAST(3),
  /** All rows: [tokens, hidden]. */
  NONE(4);

  final int code;

  Pooling(int code) {
    this.code = code;
  }
}
