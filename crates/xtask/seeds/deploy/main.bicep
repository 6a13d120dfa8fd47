param location string = resourceGroup().location
@secure()
param adminPassword string
var name = 'api-${uniqueString(resourceGroup().id)}'
resource app 'Microsoft.App/containerApps@2024-03-01' = {
  name: name
  location: location
  properties: {
    configuration: { ingress: { external: true, targetPort: 8000 }, secrets: [ { name: 'db', value: adminPassword } ] }
    template: { containers: [ { name: 'api', image: 'registry.example.com/api:1', env: [ { name: 'PORT', value: '8000' } ] } ] }
  }
}
module db 'db.bicep' = [for i in range(0, 2): { name: 'db${i}', params: { index: i } }]
