param adminPassword string = '@@plain@@'
var note = '@@token@@'
resource app 'Microsoft.App/containerApps@2024-03-01' = { name: 'gate', properties: { configuration: { secrets: [ { name: 'db', value: '@@plain@@' } ] }, template: { containers: [ { name: 'gate', image: 'registry.example.com/gate:1', env: [ { name: 'API_KEY', value: '@@plain@@' }, { name: 'MODE', value: '@@token@@' } ] } ] } } }
