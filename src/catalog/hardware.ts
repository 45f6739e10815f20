import type { Catalog } from './catalog.ts'

/** The hardware with prices at providers of this type, each once. */
export function hardwareNames({ hardware }: Pick<Catalog, 'hardware'>, type: string): readonly string[] {
  return [...new Set(hardware.flatMap(({ provider, gpu }) => (provider === type ? [gpu] : [])))]
}
