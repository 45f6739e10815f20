import { Buffer } from 'node:buffer'
import type { GrowEntry, HoldEntry, SettleEntry } from '../../core/model/journal.ts'
import type { LineWriter } from '../../core/model/record/line-writer.ts'

/** The lines that every paid call adds beside its own: written as `JSON.stringify` does, in a quarter of the time. */
export type MoneyEntry = HoldEntry | GrowEntry | SettleEntry

export function writeMoneyLine(entry: MoneyEntry, line: LineWriter): void {
  line.put(beginnings[entry.type])
  line.quote(entry.id)
  line.put(at)
  line.number(entry.at)
  if (entry.type === 'hold') {
    line.put(owner)
    line.quote(entry.owner)
    line.put(until)
    line.number(entry.until)
  }
  if (entry.type === 'settle') writeCharges(entry, line)
  else writeParts(entry, line)
  line.put(closeBrace)
}

/** Whether a line of the journal, whole as text, is one of these. */
export function isMoneyLine(text: string): boolean {
  return (
    text.startsWith('{"type":"hold",') ||
    text.startsWith('{"type":"settle",') ||
    text.startsWith('{"type":"grow",')
  )
}

function writeParts({ parts: held }: HoldEntry | GrowEntry, line: LineWriter): void {
  line.put(parts)
  let label = firstCounter
  for (const { counter, nanoUsd: amount } of held) {
    line.put(label)
    line.quote(counter)
    line.put(nanoUsd)
    line.number(amount)
    line.put(closeBrace)
    label = nextCounter
  }
  line.put(closeBracket)
}

function writeCharges({ charges: settled, reason: why }: SettleEntry, line: LineWriter): void {
  line.put(charges)
  let label = firstCounter
  for (const { counter, spentNanoUsd, uncertainNanoUsd } of settled) {
    line.put(label)
    line.quote(counter)
    line.put(spent)
    line.number(spentNanoUsd)
    line.put(uncertain)
    line.number(uncertainNanoUsd)
    line.put(closeBrace)
    label = nextCounter
  }
  line.put(closeBracket)
  if (why === undefined) return
  line.put(reason)
  line.quote(why)
}

const beginnings = {
  hold: Buffer.from('{"type":"hold","id":'),
  grow: Buffer.from('{"type":"grow","id":'),
  settle: Buffer.from('{"type":"settle","id":'),
}
const at = Buffer.from(',"at":')
const owner = Buffer.from(',"owner":')
const until = Buffer.from(',"until":')
const parts = Buffer.from(',"parts":[')
const charges = Buffer.from(',"charges":[')
const reason = Buffer.from(',"reason":')
const firstCounter = Buffer.from('{"counter":')
const nextCounter = Buffer.from(',{"counter":')
const nanoUsd = Buffer.from(',"nanoUsd":')
const spent = Buffer.from(',"spentNanoUsd":')
const uncertain = Buffer.from(',"uncertainNanoUsd":')
const closeBracket = Buffer.from(']')
const closeBrace = Buffer.from('}')
