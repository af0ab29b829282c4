/** Graft: Hugging Face transformers inside a Java process. */
module graft {
  exports graft;
}
