import { expect, test } from 'vitest'
import { cpuSeconds, machineCpuSeconds, residentBytes } from '../../../bench/setup/process-usage.ts'

test.runIf(process.platform === 'linux')(
  'a process that works uses processor time, and so does its machine',
  () => {
    const [own, machine] = [cpuSeconds(process.pid), machineCpuSeconds()]
    const ownBefore = process.cpuUsage()
    const spent = () => {
      const { user, system } = process.cpuUsage(ownBefore)
      return (user + system) / 1e6
    }
    while (spent() < 0.1) Math.sqrt(2)
    // The kernel brings both accounts up to date at its own pace, within a few hundredths.
    expect(cpuSeconds(process.pid) - own).toBeGreaterThan(0.05)
    expect(machineCpuSeconds() - machine).toBeGreaterThan(0.05)
  },
)

test.runIf(process.platform === 'linux')('resident memory is that of the process', () => {
  const reported = process.memoryUsage.rss()
  expect(residentBytes(process.pid) / reported).toBeCloseTo(1, 0)
})
