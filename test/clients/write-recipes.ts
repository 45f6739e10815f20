import { readFileSync, writeFileSync } from 'node:fs'
import { recipesPage } from './programs.ts'

// `node test/clients/write-recipes.ts`: puts the recipes into docs/clients.md.
const text = readFileSync('docs/clients.md', 'utf8')
const mark = '<!-- generated: recipes -->\n'
const from = text.indexOf(mark) + mark.length
writeFileSync(
  'docs/clients.md',
  text.slice(0, from) + recipesPage() + text.slice(text.indexOf('<!-- /generated -->', from)),
)
