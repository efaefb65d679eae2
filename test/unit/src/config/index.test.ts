import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { loadBootConf } from '../../../../src/config/boot.ts'
import { ConfigError } from '../../../../src/config/config-error.ts'
import { createSource } from '../../../../src/config/index.ts'
import { silentLog } from '../../../../src/observability/log.ts'

test('each role and provider has its source', async (context) => {
  const home = mkdtempSync(path.join(tmpdir(), 'sluice-sources-'))
  context.after(() => rmSync(home, { recursive: true }))
  mkdirSync(path.join(home, 'conf'))
  const cases: [string, string, string, boolean][] = [
    ['', 'EmbeddedSource', '/apisix', true],
    ['role_traditional: {config_provider: etcd}', 'EtcdSource', '/apisix', true],
    ['role_traditional: {config_provider: yaml}', 'ApiDrivenSource', '', false],
    ['role_traditional: {config_provider: json}', 'FileSource', '', false],
    ['role: data_plane, role_data_plane: {config_provider: yaml}', 'FileSource', '', false],
    ['role: data_plane, role_data_plane: {config_provider: json}', 'FileSource', '', false],
    ['role: data_plane, etcd: {prefix: /own}', 'EtcdSource', '/own', false],
    ['role: control_plane', 'EtcdSource', '/apisix', true],
  ]
  for (const [deployment, name, prefix, writable] of cases) {
    writeFileSync(path.join(home, 'conf/config.yaml'), `deployment: {${deployment}}`)
    const source = createSource(loadBootConf({ home, env: {} }), silentLog)
    assert.equal(source.constructor.name, name, deployment)
    assert.equal(source.prefix, prefix, deployment)
    assert.equal(source.writer !== undefined, writable, deployment)
    await source.close()
  }
})

test('a certificate for etcd that cannot be read is named with its key', (context) => {
  const home = mkdtempSync(path.join(tmpdir(), 'sluice-sources-'))
  context.after(() => rmSync(home, { recursive: true }))
  mkdirSync(path.join(home, 'conf'))
  const etcd = '{host: ["https://127.0.0.1:2379"], tls: {cert: nowhere.pem, key: nowhere.key}}'
  const text = `deployment: {role_traditional: {config_provider: etcd}, etcd: ${etcd}}`
  writeFileSync(path.join(home, 'conf/config.yaml'), text)
  assert.throws(
    () => createSource(loadBootConf({ home, env: {} }), silentLog),
    (error) => error instanceof ConfigError && error.path === 'deployment.etcd.tls.cert',
  )
})
