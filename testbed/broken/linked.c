/* A program that needs a library of its own. */
int part_work(void);

int main(void) { return part_work(); }
