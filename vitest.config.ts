import { defineConfig } from 'vitest/config'

/** `unit`: no child process; `wire`: over real sockets; `acceptance`: the gateway as a process; `clients`: theirs. */
const suites: Readonly<Record<string, readonly string[]>> = {
  unit: ['catalog', 'config', 'core', 'dialects', 'fidelity', 'telemetry', 'tenants', 'tokenizers'],
  wire: ['admin', 'cli', 'http', 'ledger', 'main', 'providers', 'simulator', 'state'],
  acceptance: ['acceptance', 'bench', 'chaos', 'console', 'deploy'],
  clients: ['clients'],
}

/** Tests at the top of the folder: what holds the house is quick, the others start a gateway. */
const topLevel: Readonly<Record<string, readonly string[]>> = {
  unit: ['test/layers.test.ts', 'test/config.test.ts', 'test/suites.test.ts', 'test/wording.test.ts'],
  acceptance: ['test/!(layers|config|suites|wording).test.ts'],
}

export default defineConfig({
  test: {
    // By default one core would stay idle: no test depends on how busy the machine is.
    maxWorkers: '100%',
    // CI plays a failed test once more, and its report marks it "retry x1". Elsewhere the first failure is red.
    retry: Number(process.env['TEST_RETRY'] ?? 0),
    projects: Object.entries(suites).map(([name, folders]) => ({
      test: {
        name,
        include: [...folders.map((folder) => `test/${folder}/**/*.test.ts`), ...(topLevel[name] ?? [])],
        setupFiles: ['test/json-text-equality.ts'],
        // Only what hangs takes so long: a busy machine must not fail a test.
        testTimeout: 300_000,
        hookTimeout: 300_000,
        expect: { poll: { timeout: 120_000 } },
      },
    })),
  },
})
