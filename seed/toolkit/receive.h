/* Files and links from stdin into the toolkit folder. */
#ifndef TOOLKIT_RECEIVE_H
#define TOOLKIT_RECEIVE_H

void receive_all(void);

#endif
