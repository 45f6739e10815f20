/** Whether a counter has this name; with an `end`, whether its name begins with the one and ends with the other. */
export function isCounter(counter: string, name: string, end?: string): boolean {
  return end === undefined ? counter === name : counter.startsWith(name) && counter.endsWith(end)
}
