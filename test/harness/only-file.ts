/** Reads gateway.yaml, by whatever path, and finds no other file. */
export function onlyFile(text: string): (path: string) => string {
  return (path) => {
    if (!path.endsWith('.json')) return text
    throw Object.assign(new Error(`no such file: ${path}`), { code: 'ENOENT' })
  }
}
