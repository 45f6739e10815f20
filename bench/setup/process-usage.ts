import { existsSync, readdirSync, readFileSync } from 'node:fs'

/** Processor time a process has used so far, all its threads, user and system together. */
export function cpuSeconds(pid: number): number {
  return cpuSecondsByScheduler(pid) ?? cpuSecondsByTicks(pid)
}

/** Processor seconds all processors have been at work since the machine started, for whomever. */
export function machineCpuSeconds(): number {
  const [line = ''] = readFileSync('/proc/stat', 'latin1').split('\n', 1)
  // proc(5): user nice system idle iowait irq softirq steal; guests are part of user.
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = line
    .split(/ +/)
    .slice(1)
    .map(Number)
  return (user + nice + system + irq + softirq + steal) / ticksPerSecond
}

/** Memory a process has resident. */
export function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  return Number(/^VmRSS:\s*(\d+) kB/m.exec(status)?.[1]) * 1024
}

/** Nanoseconds, thread by thread; undefined where the kernel does not keep them. */
function cpuSecondsByScheduler(pid: number): number | undefined {
  if (!existsSync(`/proc/${pid}/schedstat`)) return undefined
  // A thread may end between being listed and being read.
  const read = (thread: string) => {
    const path = `/proc/${pid}/task/${thread}/schedstat`
    return existsSync(path) ? Number.parseInt(readFileSync(path, 'latin1'), 10) : 0
  }
  return readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => sum + read(thread), 0) / 1e9
}

/** Only to a hundredth of a second, but everywhere. */
function cpuSecondsByTicks(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  // proc(5): the name may hold spaces; the 14th and 15th fields are the 12th and 13th after it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

/** USER_HZ, which Linux fixes for every architecture Node runs on. */
const ticksPerSecond = 100
