-- What the history notes of a new entity: its attributes, and its scope as a Property of that name (ETSI GS CIM 009 §4.5.6).
create function broker.told(doc jsonb) returns jsonb language sql immutable as $$
  select case when doc ? 'scope' then (doc -> 'attrs') || jsonb_build_object(
    'https://uri.etsi.org/ngsi-ld/scope', jsonb_build_array(jsonb_build_object(
      'type', 'Property', 'value',
      case when jsonb_array_length(doc -> 'scope') = 1 then doc -> 'scope' -> 0 else doc -> 'scope' end,
      'observedAt', doc -> 'modifiedAt')))
  else doc -> 'attrs' end
$$;
