"""Learning an engine that fuses: small models are exported once each and measured as whole cycles at many shapes."""
