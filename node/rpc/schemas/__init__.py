"""What methods take and give, as JSON Schema: the parts of the OpenRPC document."""
