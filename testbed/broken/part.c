/* A library; what stands in its version script is the symbol's version. */
int part_work(void) { return 0; }
