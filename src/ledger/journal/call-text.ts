/** How the line of a finished call begins in the journal, and no other does. */
export const callBeginning = '{"type":"call",'
