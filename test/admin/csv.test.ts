import { expect, test } from 'vitest'
import { csvOf } from '../../src/admin/csv.ts'

test('cells are quoted where they must be, and no spreadsheet runs one', () => {
  const rows = [
    { model: 'a,b', cost: -1.5 },
    { model: 'say "hi"\n', cost: null },
    { model: '=1+1', cost: 0 },
  ]
  expect(csvOf(['model', 'cost'], rows)).toBe('model,cost\r\n"a,b",-1.5\r\n"say ""hi""\n",\r\n\'=1+1,0\r\n')
})
